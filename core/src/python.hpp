// CPython's limited API, with errors as exceptions and references that are let go on every path.
#pragma once

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <cstdint>

namespace midflight {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline constexpr u32 NONE = 0xffffffffu;

struct Failed {};  // thrown when a Python error is set

// A reference of our own. Throws Failed for a null, which says that a Python error is set.
class Ref {
public:
    explicit Ref(PyObject* owned) : object_(owned) {
        if (!object_) throw Failed();
    }
    Ref(const Ref&) = delete;
    Ref& operator=(const Ref&) = delete;
    ~Ref() { Py_DECREF(object_); }

    PyObject* get() const { return object_; }
    PyObject* give() const {  // a reference for somebody else
        Py_INCREF(object_);
        return object_;
    }

private:
    PyObject* object_;
};

inline u64 to_u64(PyObject* number) {
    const unsigned long long value = PyLong_AsUnsignedLongLong(number);
    if (value == static_cast<unsigned long long>(-1) && PyErr_Occurred()) throw Failed();
    return value;
}

inline u32 to_u32(PyObject* number) {
    const u64 value = to_u64(number);
    if (value > NONE) {
        PyErr_SetString(PyExc_OverflowError, "a number has more than 32 bits");
        throw Failed();
    }
    return static_cast<u32>(value);
}

inline bool to_bool(PyObject* thing) {
    const int value = PyObject_IsTrue(thing);
    if (value < 0) throw Failed();
    return value != 0;
}

inline std::size_t length(PyObject* tuple) {
    const Py_ssize_t size = PyTuple_Size(tuple);
    if (size < 0) throw Failed();
    return static_cast<std::size_t>(size);
}

// A borrowed reference to what a tuple holds.
inline PyObject* item(PyObject* tuple, std::size_t at) {
    PyObject* found = PyTuple_GetItem(tuple, static_cast<Py_ssize_t>(at));
    if (!found) throw Failed();
    return found;
}

inline u32 number_at(PyObject* tuple, std::size_t at) { return to_u32(item(tuple, at)); }

// What this method of a Python object answers.
template <class... Args>
Ref call(PyObject* whom, const char* method, const char* format, Args... args) {
    return Ref(PyObject_CallMethod(whom, method, format, args...));
}

// A new tuple of numbers.
template <class Numbers>
PyObject* tuple_of(const Numbers& numbers, std::size_t count) {
    Ref tuple(PyTuple_New(static_cast<Py_ssize_t>(count)));
    for (std::size_t at = 0; at < count; at++) {
        PyObject* number = PyLong_FromUnsignedLongLong(numbers[at]);
        if (!number || PyTuple_SetItem(tuple.get(), static_cast<Py_ssize_t>(at), number) < 0) throw Failed();
    }
    return tuple.give();
}

}  // namespace midflight
