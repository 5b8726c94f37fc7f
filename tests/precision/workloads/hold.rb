# SPDX-License-Identifier: GPL-2.0-only
#
# hold.rb hold|leak MIB THREADS: strings. Prints as its truth what the pages of
# the garbage collector take; malloc's is to be added.

$stdout.sync = true
how, mib, threads = ARGV[0], Integer(ARGV[1]), Integer(ARGV[2])

def leak(mib)
  kept = []
  1.upto(mib) do |got|
    kept << "x" * (1 << 20)
    puts "got #{got}"
  end
rescue NoMemoryError
  kept.clear
  puts "caught NoMemoryError"
end

def blocks(share)
  kept = []
  total = 0
  while total < share
    size = 64 << kept.size % 10
    kept << "x" * size
    total += size
  end
  kept
end

if how == "leak"
  leak(mib)
else
  kept = Array.new(threads) { Thread.new { blocks((mib << 20) / threads) } }.map(&:value)
  pages = GC.stat.key?(:heap_allocated_pages) ? GC.stat[:heap_allocated_pages] : 0
  puts "ready #{$$} #{pages * GC::INTERNAL_CONSTANTS[:HEAP_PAGE_SIZE]}"
  sleep
  kept.clear
end
