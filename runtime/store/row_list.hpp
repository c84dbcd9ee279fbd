#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace ao {

/// A list of values, each where its readers will hold it, so that a row is
/// neither copied nor moved on its way from the database to them. A copy of
/// the list has values of its own.
template <class T>
class row_list {
public:
  using value_type = T;
  using pointer = std::shared_ptr<T>;

  /// Walks over the values.
  class const_iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    explicit const_iterator(const std::shared_ptr<T>* at) : at_(at) {}

    const T& operator*() const { return **at_; }
    const T* operator->() const { return at_->get(); }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) {
      auto before = *this;
      ++at_;
      return before;
    }
    friend bool operator==(const_iterator a, const_iterator b) {
      return a.at_ == b.at_;
    }
    friend bool operator!=(const_iterator a, const_iterator b) {
      return a.at_ != b.at_;
    }

  private:
    const std::shared_ptr<T>* at_ = nullptr;
  };

  row_list() = default;
  row_list(std::vector<T> values) {
    for (auto& x : values)
      push_back(std::move(x));
  }
  row_list(row_list&&) noexcept = default;
  row_list& operator=(row_list&&) noexcept = default;
  row_list(const row_list& other) {
    for (const auto& x : other)
      push_back(x);
  }
  row_list& operator=(const row_list& other) { return *this = row_list{other}; }
  ~row_list() = default;

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  const T& at(std::size_t i) const { return *rows_.at(i); }
  const T& operator[](std::size_t i) const { return *rows_[i]; }
  T& back() { return *rows_.back(); }
  const_iterator begin() const { return const_iterator{rows_.data()}; }
  const_iterator end() const {
    return const_iterator{rows_.data() + rows_.size()};
  }

  void push_back(T x) { rows_.push_back(std::make_shared<T>(std::move(x))); }
  T& emplace_back() { return *rows_.emplace_back(std::make_shared<T>()); }
  void pop_back() { rows_.pop_back(); }

  /// Takes over the values of `more`, behind its own.
  void append(row_list&& more) {
    if (rows_.empty())
      rows_.swap(more.rows_);
    else
      rows_.insert(rows_.end(), std::make_move_iterator(more.rows_.begin()),
                   std::make_move_iterator(more.rows_.end()));
  }

  /// The values for their readers; the list is empty then.
  std::vector<pointer> release() { return std::exchange(rows_, {}); }

private:
  std::vector<pointer> rows_;
};

} // namespace ao
