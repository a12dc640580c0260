cdef Py_ssize_t HEADER_SIZE
cdef Py_ssize_t STALE_AT
cdef Py_ssize_t LENGTHS_AT

cdef class Body:
    cdef readonly bytes data
    cdef readonly int serializer
    cdef readonly int compression
    cdef readonly int flags

cdef class Envelope:
    cdef readonly bytes key
    cdef readonly Body body
    cdef readonly double fresh_until
    cdef readonly double refresh_at
    cdef readonly double stale_until
    cdef readonly object cost
    cdef readonly object epoch
    cdef readonly tuple tags
    cdef readonly bytes key_id

cdef long long little(bytes data, Py_ssize_t at, Py_ssize_t size) noexcept
cpdef object plain_body(bytes record, Py_ssize_t start, bytes key, bytes head)
