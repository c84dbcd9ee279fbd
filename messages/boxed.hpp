#pragma once

#include <memory>
#include <utility>

namespace ao {

/// A value that is rarely there, used like `std::optional`. While there is none
/// it takes the room of a pointer: what exists ten thousand times should not
/// pay for what most of them never have. A copy has a value of its own.
template <class T>
class boxed {
public:
  boxed() = default;
  boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  boxed(const boxed& other)
      : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  boxed(boxed&&) noexcept = default;
  boxed& operator=(boxed other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  bool has_value() const { return value_ != nullptr; }

  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

  T& emplace() { return *(value_ = std::make_unique<T>()); }
  void reset() { value_.reset(); }

private:
  std::unique_ptr<T> value_;
};

} // namespace ao
