%% SPDX-License-Identifier: GPL-2.0-only
%%
%% erl -run hold main hold|leak MIB: lists and binaries. Prints as its truth what
%% erts_mmap has of the kernel, segments that are kept for later use too; what
%% allocators have from malloc is to be added.

-module(hold).
-export([main/1]).

main([How, Mib]) ->
    main(How, list_to_integer(Mib)).

main("leak", Mib) ->
    leak([], 1, Mib),
    halt();
main("hold", Mib) ->
    Kept = [block(I, 1024) || I <- lists:seq(1, Mib * 1024)],
    io:format("ready ~s ~b~n", [os:getpid(), mapped()]),
    receive stop -> Kept end.

leak(_, Got, Mib) when Got > Mib ->
    ok;
leak(Kept, Got, Mib) ->
    Grown = [block(Got, 1 bsl 20) | Kept],
    io:format("got ~b~n", [Got]),
    leak(Grown, Got + 1, Mib).

block(I, Size) ->
    binary:copy(<<I:8>>, Size).

mapped() ->
    lists:sum([proplists:get_value(used, Sizes)
               || {_, Mmap} <- erlang:system_info({allocator, erts_mmap}),
                  {Kind, Info} <- Mmap,
                  lists:member(Kind, [os, supercarrier]),
                  {sizes, Sizes} <- Info]).
