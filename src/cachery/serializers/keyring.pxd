cdef class Keyring:
    cdef public dict states
    cdef public object newest
    cdef public bytes key_id

    cpdef bytes sign(self, bytes data)
    cpdef check(self, bytes record, bytes key_id)
    cpdef check_apart(self, bytes data, bytes signature, bytes key_id)
