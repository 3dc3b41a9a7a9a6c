// Visitors over fields(): everything that is done with state as a whole.
//
//     Digest d = state_digest(cpu);                          // by value, little-endian; names and padding are not hashed
//     std::vector<u8> bytes = state_bytes(cpu);              // the same bytes, as a vector
//     TRY(read_state(bytes, cpu));                           // bounded; refuses values that no writer produces
//     for (const Difference& d : state_differences(a, b))    // {"x87.st[3].significand", "0", "1"}
//     std::string text = state_text(cpu);                    // "rip=000000000000fff0\n…"
//     std::string names = state_schema<Cpu>();               // "rip u64\n…", for a golden file and for format hashes
//
// Members: integers, bool, enums with a fixed underlying type, Strong types, std::array of those, structs with fields(). A struct may
// have `bool valid() const`: the reader refuses a value for which it is false.
// The byte form has no framing: the schema tells what the bytes mean.
// Tests: tests/base/state_test.cpp.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/enums.h"
#include "base/fields.h"
#include "base/hex.h"
#include "base/result.h"
#include "base/types.h"

namespace ramet {

template <class T>
concept StateStruct = HasFields<std::remove_const_t<T>>;
template <class T>
concept StateArray = IsArray<std::remove_const_t<T>>::value;
template <class T>
concept StateEnum = std::is_enum_v<T>;
template <class T>
concept StateStrong = StrongType<std::remove_const_t<T>> && !StateStruct<T>;
template <class T>
concept StateBytes = StateArray<T> && std::same_as<typename std::remove_const_t<T>::value_type, u8>;

/// Bytes out: to a digest or a vector. Sink has add(std::span<const u8>).
template <class Sink>
class StateEncoder {
public:
    explicit StateEncoder(Sink& sink) : sink_(sink) {}

    void operator()(const char*, const auto& value) { put(value); }

    template <class T>
    void put(const T& value) {
        if constexpr (StateStruct<T>) {
            if constexpr (Sink::leaves_out_absent && requires { static_cast<bool>(value.absent()); })
                if (value.absent()) return;
            T::fields(value, *this);
        } else if constexpr (StateBytes<T>) {
            sink_.add(std::span<const u8>{value});
        } else if constexpr (StateArray<T>) {
            for (const auto& item : value) put(item);
        } else if constexpr (StateStrong<T>) {
            put(value.value);
        } else if constexpr (StateEnum<T>) {
            put(static_cast<std::underlying_type_t<T>>(value));
        } else if constexpr (std::is_same_v<T, bool>) {
            put(static_cast<u8>(value ? 1 : 0));
        } else {
            static_assert(std::is_integral_v<T>, "a member type that state visitors do not know");
            std::array<u8, sizeof(T)> bytes;
            store_le(bytes.data(), value);
            sink_.add(std::span<const u8>{bytes});
        }
    }

private:
    Sink& sink_;
};

/// A digest sink that hands small pieces to the hash in blocks: most fields have eight bytes or less.
class StateHasher {
public:
    static constexpr bool leaves_out_absent = true;
    void add(std::span<const u8> bytes);
    Digest finish();

private:
    DigestStream stream_;
    std::array<u8, 512> block_;
    std::size_t used_ = 0;
};

class StateWriter {
public:
    static constexpr bool leaves_out_absent = false;
    void add(std::span<const u8> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    std::vector<u8> finish() { return std::move(bytes_); }

private:
    std::vector<u8> bytes_;
};

/// Bytes in, from an untrusted source. After the first failure nothing more is read; `error()` names the field.
class StateReader {
public:
    explicit StateReader(std::span<const u8> bytes) : bytes_(bytes) {}

    void operator()(const char* name, auto& value) {
        if (ok_) get(name, value);
    }

    template <class T>
    void get(const char* name, T& value) {
        if constexpr (StateStruct<T>) {
            T::fields(value, *this);
            if constexpr (requires { static_cast<bool>(value.valid()); })
                if (ok_ && !value.valid()) fail(name, "has values that contradict each other");
        } else if constexpr (StateBytes<T>) {
            take(name, value);
        } else if constexpr (StateArray<T>) {
            for (auto& item : value)
                if (ok_) get(name, item);
        } else if constexpr (StateStrong<T>) {
            get(name, value.value);
        } else if constexpr (StateEnum<T>) {
            std::underlying_type_t<T> raw{};
            get(name, raw);
            if (ok_ && enum_name(static_cast<T>(raw)).empty()) return fail(name, "is not a value of its enumeration");
            value = static_cast<T>(raw);
        } else if constexpr (std::is_same_v<T, bool>) {
            u8 raw = 0;
            get(name, raw);
            if (ok_ && raw > 1) return fail(name, "is neither 0 nor 1");
            value = raw == 1;
        } else {
            static_assert(std::is_integral_v<T>, "a member type that state visitors do not know");
            std::array<u8, sizeof(T)> raw = {};
            take(name, raw);
            value = load_le<T>(raw.data());
        }
    }

    bool ok() const { return ok_; }
    std::size_t consumed() const { return at_; }
    Error error() const { return Error{text_}; }

private:
    void take(const char* name, std::span<u8> to);
    void fail(const char* name, const char* what);

    std::span<const u8> bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
    std::string text_;
};

/// One leaf of a state: its path and its value, as text.
struct StateLeaf {
    std::string path;
    std::string value;
    friend bool operator==(const StateLeaf&, const StateLeaf&) = default;
};

struct Difference {
    std::string path;
    std::string a;
    std::string b;
    friend bool operator==(const Difference&, const Difference&) = default;
};

namespace detail {

std::string join_path(const std::string& path, const char* name);
std::string index_path(const std::string& path, std::size_t index);
std::vector<Difference> unequal(const std::vector<StateLeaf>& a, const std::vector<StateLeaf>& b);

}  // namespace detail

class StatePrinter {
public:
    void operator()(const char* name, const auto& value) { put(detail::join_path(path_, name), value); }

    template <class T>
    void put(const std::string& path, const T& value) {
        if constexpr (StateStruct<T>) {
            std::string const outer = std::exchange(path_, path);
            T::fields(value, *this);
            path_ = outer;
        } else if constexpr (StateArray<T>) {
            for (std::size_t i = 0; i < value.size(); ++i) put(detail::index_path(path, i), value[i]);
        } else if constexpr (StateStrong<T>) {
            put(path, value.value);
        } else if constexpr (StateEnum<T>) {
            auto const name = enum_name(value);
            if (name.empty())
                put(path, static_cast<std::underlying_type_t<T>>(value));
            else
                leaves_.push_back({path, std::string{name}});
        } else if constexpr (std::is_same_v<T, bool>) {
            leaves_.push_back({path, value ? "true" : "false"});
        } else {
            static_assert(std::is_integral_v<T>, "a member type that state visitors do not know");
            leaves_.push_back({path, hex_of(static_cast<std::make_unsigned_t<T>>(value), 2 * sizeof(T))});
        }
    }

    const std::vector<StateLeaf>& leaves() const { return leaves_; }

private:
    std::string path_;
    std::vector<StateLeaf> leaves_;
};

/// Names and types, one line per member; a struct's members are indented below it.
class StateSchema {
public:
    void operator()(const char* name, const auto& value) { put(name, value); }

    template <class T>
    void put(const std::string& name, const T& value) {
        std::string dimensions;
        describe(name, dimensions, value);
    }

    const std::string& text() const { return text_; }

private:
    template <class T>
    void describe(const std::string& name, const std::string& dimensions, const T& value) {
        if constexpr (StateStruct<T>) {
            line(name, "struct" + dimensions);
            ++depth_;
            T::fields(value, *this);
            --depth_;
        } else if constexpr (StateArray<T>) {
            describe(name, dimensions + "[" + std::to_string(value.size()) + "]", typename T::value_type{});
        } else if constexpr (StateStrong<T>) {
            line(name, "u64" + dimensions);
        } else if constexpr (StateEnum<T>) {
            std::string names;
            for (std::string_view enumerator : detail::enum_table<T>)
                if (!enumerator.empty()) names += " " + std::string{enumerator};
            line(name, "enum" + std::to_string(8 * sizeof(T)) + dimensions + " =" + names);
        } else if constexpr (std::is_same_v<T, bool>) {
            line(name, "bool" + dimensions);
        } else {
            line(name, (std::is_signed_v<T> ? "i" : "u") + std::to_string(8 * sizeof(T)) + dimensions);
        }
    }
    void line(const std::string& name, const std::string& type);

    unsigned depth_ = 0;
    std::string text_;
};

template <class T>
Digest state_digest(const T& state) {
    StateHasher hasher;
    StateEncoder<StateHasher>{hasher}.put(state);
    return hasher.finish();
}

template <class T>
std::vector<u8> state_bytes(const T& state) {
    StateWriter writer;
    StateEncoder<StateWriter>{writer}.put(state);
    return writer.finish();
}

/// Reads one T from the front of `bytes`: how many bytes it took. On an error `state` is unchanged.
template <class T>
Expected<std::size_t> read_state(std::span<const u8> bytes, T& state) {
    T made{};
    StateReader reader{bytes};
    reader.get("state", made);
    if (!reader.ok()) return reader.error();
    state = made;
    return reader.consumed();
}

template <class T>
std::vector<Difference> state_differences(const T& a, const T& b) {
    StatePrinter left;
    StatePrinter right;
    left.put("", a);
    right.put("", b);
    return detail::unequal(left.leaves(), right.leaves());
}

/// Lines "path=value"; integers in hexadecimal with all digits.
template <class T>
std::string state_text(const T& state) {
    StatePrinter printer;
    printer.put("", state);
    std::string text;
    for (const StateLeaf& leaf : printer.leaves()) text += leaf.path + "=" + leaf.value + "\n";
    return text;
}

template <class T>
std::string state_schema() {
    StateSchema schema;
    T const value{};
    T::fields(value, schema);
    return schema.text();
}

}  // namespace ramet
