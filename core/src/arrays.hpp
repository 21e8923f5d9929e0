// Arrays that grow in place where the system can, and whose memory Python counts; and tables of rows of numbers.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "python.hpp"

namespace midflight {

// Throws std::bad_alloc, and is then as it was.
template <class T>
class Array {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    Array() = default;
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;
    Array(Array&& other) noexcept { swap(other); }
    Array& operator=(Array&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Array() { PyMem_Free(things_); }

    std::size_t size() const { return size_; }
    T& operator[](std::size_t at) { return things_[at]; }
    const T& operator[](std::size_t at) const { return things_[at]; }
    T* begin() { return things_; }
    T* end() { return things_ + size_; }
    T& back() { return things_[size_ - 1]; }
    void pop() { size_--; }
    void clear() { size_ = 0; }

    void add(T thing) {
        make_room(size_ + 1);
        things_[size_++] = thing;
    }

    // Of what is not in this array itself.
    void add(const T* things, std::size_t count) {
        if (!count) return;
        make_room(size_ + count);
        std::memcpy(things_ + size_, things, count * sizeof(T));
        size_ += count;
    }

    void resize(std::size_t size, T with) {
        make_room(size);
        for (; size_ < size; size_++) things_[size_] = with;
        size_ = size;
    }

private:
    void swap(Array& other) noexcept {
        std::swap(things_, other.things_);
        std::swap(size_, other.size_);
        std::swap(room_, other.room_);
    }

    void make_room(std::size_t size) {
        if (size <= room_) return;
        const std::size_t most = static_cast<std::size_t>(std::numeric_limits<Py_ssize_t>::max()) / sizeof(T);
        if (size > most) throw std::bad_alloc();
        const std::size_t room = std::min(most, std::max(size, room_ + room_ / 4 + 16));
        void* moved = PyMem_Realloc(things_, room * sizeof(T));
        if (!moved) throw std::bad_alloc();
        things_ = static_cast<T*>(moved);
        room_ = room;
    }

    T* things_ = nullptr;
    std::size_t size_ = 0, room_ = 0;
};

// Numbers rows of 32-bit numbers, all of one width: equal rows get equal numbers, in the order in which they come.
class Rows {
public:
    explicit Rows(std::size_t width) : width_(width) { slots_.resize(16, NONE); }

    std::size_t width() const { return width_; }
    u32 size() const { return count_; }
    const u32* row(u32 number) const { return &rows_[std::size_t(number) * width_]; }

    // NONE if there is no such row.
    u32 find(const u32* row) const { return slots_[slot_of(row)]; }

    // The number of this row, which must not lie in this table itself.
    u32 number(const u32* row) {
        const std::size_t slot = slot_of(row);
        return slots_[slot] == NONE ? add(row, slot) : slots_[slot];
    }

private:
    std::size_t slot_of(const u32* row) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t slot = hash(row) & mask;
        while (slots_[slot] != NONE && std::memcmp(this->row(slots_[slot]), row, width_ * sizeof(u32)))
            slot = (slot + 1) & mask;
        return slot;
    }

    std::size_t hash(const u32* row) const {
        u64 mixed = 0x9E3779B97F4A7C15u;
        for (std::size_t at = 0; at < width_; at++) {
            mixed = (mixed ^ row[at]) * 0xff51afd7ed558ccdu;
            mixed ^= mixed >> 32;
        }
        return static_cast<std::size_t>(mixed);
    }

    u32 add(const u32* row, std::size_t slot) {
        if (count_ == NONE - 1) throw std::bad_alloc();
        if (3 * (std::size_t(count_) + 1) > 2 * slots_.size()) {
            grow();
            slot = slot_of(row);
        }
        rows_.add(row, width_);
        return slots_[slot] = count_++;
    }

    void grow() {
        const std::size_t size = 2 * slots_.size(), mask = size - 1;
        slots_.resize(size, NONE);
        std::fill(slots_.begin(), slots_.end(), NONE);
        for (u32 number = 0; number < count_; number++) {
            std::size_t slot = hash(row(number)) & mask;
            while (slots_[slot] != NONE) slot = (slot + 1) & mask;
            slots_[slot] = number;
        }
    }

    std::size_t width_;
    u32 count_ = 0;
    Array<u32> rows_, slots_;
};

}  // namespace midflight
