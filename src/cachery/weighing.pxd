# The C side of weighing.py: what CPython knows of an object and tells Python slower, or not at all.

from cpython.dict cimport PyDict_Keys as dict_keys
from cpython.dict cimport PyDict_Values as dict_values

cdef extern from *:
    """
    #define cachery_is_held_once(each) (Py_REFCNT(each) <= 3)

    static inline long long cachery_clipped(PyObject *number) {
        int overflow;
        long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
        return overflow ? LLONG_MAX : value;
    }
    """
    bint is_held_once "cachery_is_held_once"(object each)
    long long clipped "cachery_clipped"(object number)
    bint is_ascii "PyUnicode_IS_COMPACT_ASCII"(object text)

cdef Py_ssize_t _ENTRY
cdef Py_ssize_t _FLOAT
cdef Py_ssize_t _NUMBER
cdef Py_ssize_t _BYTES
cdef Py_ssize_t _TEXT
cdef Py_ssize_t _POINTER
cdef Py_ssize_t _MOST
cdef long long _LEAST_SHARED
cdef long long _MOST_SHARED
cdef bint _VALUES_ARE_TOLD
cdef long long _ONE_DIGIT
cdef list _SMALLEST
cdef dict _kinds

cdef class Kind:
    cdef object reference
    cdef object base
    cdef object dtype
    cdef object flat
    cdef Py_ssize_t size
    cdef bint is_shared
    cdef bint is_said
    cdef bint is_blamed
    cdef bint is_leaf
    cdef bint is_dict
    cdef bint has_values
    cdef bint has_attributes

cdef class Scale:
    cdef set seen
    cdef list waiting
    cdef list holders
    cdef Py_ssize_t total

    cdef Py_ssize_t weigh_all(self, object value)
    cdef put(self, object each)
    cdef bint is_new(self, object each)
    cdef put_dict(self, dict each)
    cdef put_object(self, object each)
    cdef put_parts(self, object each, Kind kind)
    cdef put_attributes(self, object each, Kind kind)
    cdef put_namespace(self, list found, Py_ssize_t place)
    cdef put_array(self, object each, Kind kind)

cpdef Py_ssize_t weigh(object value)
cpdef Py_ssize_t weigh_entry(object key, object value)
cdef Py_ssize_t leaf_size(object value) except? -2
cdef Py_ssize_t text_size(str text) except? -2
cdef Kind kind_of(object value)
cdef Py_ssize_t told_size(object each, Kind kind) except? -2
