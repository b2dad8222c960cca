// Task: a move-only function without arguments, for the mailbox between threads.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace hangu::event {

class Task {
 public:
  Task() = default;

  template <class Function>

  requires(!std::is_same_v<std::decay_t<Function>, Task>)
      // NOLINTNEXTLINE(google-explicit-constructor): a lambda is a task.
      Task(Function&& function)
      : body_(std::make_unique<Body<std::decay_t<Function>>>(std::forward<Function>(function))) {}

  void operator()() { body_->run(); }

  explicit operator bool() const { return body_ != nullptr; }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void run() = 0;
  };

  template <class Function>
  struct Body final : Base {
    explicit Body(Function body)
        : function(std::move(body)) {}

    void run() override { function(); }

    Function function;
  };

  std::unique_ptr<Base> body_;
};

}  // namespace hangu::event
