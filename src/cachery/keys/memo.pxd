cdef class KeyMemo:
    cdef object make
    cdef dict keys
    cdef Py_ssize_t capacity

cdef object mark_of(tuple args, dict kwargs)
cdef bint is_plain(object value)
