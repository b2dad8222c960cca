// A doubly linked list whose links live in its elements: no allocation, O(1) removal. An element is
// in at most one list per `Tag`. The list owns nothing; an element unlinks itself when it is
// destroyed. One thread.
#pragma once

#include "hangu/base/assert.h"

namespace hangu {

template <class Tag>
class ListNode {
 public:
  ListNode() = default;

  ~ListNode() { unlink(); }

  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool linked() const { return next_ != nullptr; }

  void unlink() {
    if (next_ != nullptr) {
      next_->previous_ = previous_;
      previous_->next_ = next_;
      next_ = previous_ = nullptr;
    }
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;

  void insert_before(ListNode& position) {
    HANGU_DCHECK(!linked());
    next_ = &position;
    previous_ = position.previous_;
    previous_->next_ = this;
    position.previous_ = this;
  }

  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

/// `T` derives from ListNode<Tag>.
template <class T, class Tag = T>
class IntrusiveList {
 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }

  ~IntrusiveList() { clear(); }

  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next_ == &head_; }

  void push_back(T& element) { node(element).insert_before(head_); }

  void push_front(T& element) { node(element).insert_before(*head_.next_); }

  T* front() { return empty() ? nullptr : element(head_.next_); }

  T* back() { return empty() ? nullptr : element(head_.previous_); }

  T* pop_front() {
    T* first = front();
    if (first != nullptr) {
      node(*first).unlink();
    }
    return first;
  }

  void clear() {
    while (!empty()) {
      head_.next_->unlink();
    }
    head_.next_ = head_.previous_ = &head_;
  }

  /// The first element that `wanted(T&)` says yes to, or nullptr.
  template <class Wanted>
  T* find_if(Wanted wanted) {
    for (ListNode<Tag>* at = head_.next_; at != &head_; at = at->next_) {
      if (wanted(*element(at))) {
        return element(at);
      }
    }
    return nullptr;
  }

  /// Calls `visit(T&)` for each element; `visit` may unlink the element it is given, no other.
  template <class Visit>
  void for_each(Visit visit) {
    for (ListNode<Tag>* at = head_.next_; at != &head_;) {
      ListNode<Tag>* next = at->next_;
      visit(*element(at));
      at = next;
    }
  }

 private:
  static ListNode<Tag>& node(T& element) { return static_cast<ListNode<Tag>&>(element); }

  static T* element(ListNode<Tag>* node) { return static_cast<T*>(node); }

  ListNode<Tag> head_;
};

}  // namespace hangu
