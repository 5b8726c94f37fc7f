;;; SPDX-License-Identifier: GPL-2.0-only
;;;
;;; hold.lisp hold|leak MIB: vectors in the dynamic space of SBCL.

(defvar *kept* '())
(defvar *how* (second *posix-argv*))
(defvar *mib* (parse-integer (third *posix-argv*)))

(defun block-of (bytes)
  (push (make-array bytes :element-type '(unsigned-byte 8) :initial-element 1) *kept*))

(defun leak ()
  (handler-case
      (loop for got from 1 to *mib*
            do (block-of (ash 1 20))
               (format t "got ~D~%" got)
               (finish-output))
    (storage-condition ()
      (setf *kept* '())
      (format t "caught STORAGE-CONDITION~%"))))

(defun hold ()
  (loop with total = 0
        for i from 0
        while (< total (ash *mib* 20))
        do (let ((bytes (ash 64 (mod i 11))))
             (block-of bytes)
             (incf total bytes)))
  (format t "ready ~D ~D~%" (sb-unix:unix-getpid) (sb-kernel:dynamic-usage))
  (finish-output)
  (sleep 3600))

(if (string= *how* "leak") (leak) (hold))
