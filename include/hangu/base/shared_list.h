// SharedList: a list whose copies share what they have in common, down to pages of 256 elements: a
// copy of 100,000 elements that differs in one costs a page and 400 pointers. Elements are
// immutable and may be in many lists. Copied and changed on one thread at a time (the control
// thread); elements and lists that nobody changes may be read on any.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace hangu {

template <class T>
class SharedList {
 public:
  using Item = std::shared_ptr<const T>;

  static constexpr size_t kPageItems = 256;

  size_t size() const { return size_; }

  bool empty() const { return size_ == 0; }

  const T& operator[](size_t at) const { return *item(at); }

  const T& back() const { return *item(size_ - 1); }

  /// May be null where set() said so.
  const Item& item(size_t at) const { return (*pages_[at / kPageItems])[at % kPageItems]; }

  void push_back(T value) { append(std::make_shared<const T>(std::move(value))); }

  void append(Item item) {
    if (size_ % kPageItems == 0) {
      pages_.push_back(std::make_shared<Page>());
    }
    ++size_;
    set(size_ - 1, std::move(item));
  }

  void set(size_t at, Item item) {
    std::shared_ptr<Page>& page = pages_[at / kPageItems];
    if (page.use_count() > 1) {
      page = std::make_shared<Page>(*page);
    }
    (*page)[at % kPageItems] = std::move(item);
  }

  /// Whether both share the page in which element `at` is: then that element and those up to the
  /// next multiple of kPageItems are the same.
  bool shares_page(const SharedList& other, size_t at) const {
    const size_t page = at / kPageItems;
    return page < pages_.size() && page < other.pages_.size() && pages_[page] == other.pages_[page];
  }

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;  // NOLINT(readability-identifier-naming)
    using value_type = T;                                 // NOLINT(readability-identifier-naming)
    using difference_type = ptrdiff_t;                    // NOLINT(readability-identifier-naming)
    using pointer = const T*;                             // NOLINT(readability-identifier-naming)
    using reference = const T&;                           // NOLINT(readability-identifier-naming)

    Iterator() = default;

    Iterator(const SharedList& list, size_t at)
        : list_(&list),
          at_(at) {}

    const T& operator*() const { return (*list_)[at_]; }

    const T* operator->() const { return &(*list_)[at_]; }

    Iterator& operator++() {
      ++at_;
      return *this;
    }

    Iterator operator++(int) { return {*list_, at_++}; }

    bool operator==(const Iterator&) const = default;

   private:
    const SharedList* list_ = nullptr;
    size_t at_ = 0;
  };

  Iterator begin() const { return {*this, 0}; }

  Iterator end() const { return {*this, size_}; }

  friend bool operator==(const SharedList& a, const SharedList& b) {
    if (a.size_ != b.size_) {
      return false;
    }
    for (size_t at = 0; at < a.size_; ++at) {
      if (a.shares_page(b, at)) {
        at += kPageItems - 1 - at % kPageItems;
      } else if (a.item(at) != b.item(at) && !(a[at] == b[at])) {
        return false;
      }
    }
    return true;
  }

 private:
  using Page = std::array<Item, kPageItems>;

  std::vector<std::shared_ptr<Page>> pages_;
  size_t size_ = 0;
};

}  // namespace hangu
