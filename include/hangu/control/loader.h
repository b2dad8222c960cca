// Loader: the thread beside the control thread, for what takes time: configs that are read and
// checked, files that are written. One piece of work after the other, in order, with the CPU's
// rest (step_back()). Its functions are called on the control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/thread_pool.hpp>

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class Loader {
 public:
  /// `context`: the control thread's, which outlives it.
  explicit Loader(boost::asio::io_context& context);
  ~Loader();  // as join()

  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Does `work` on the loader's thread, where it is destroyed, too: it holds nothing that belongs
  /// to the control thread.
  void run(std::function<void()> work);

  /// Does `work` on the loader's thread and then `then`, with what that has returned, on the
  /// control thread. What both hold is destroyed there, so that they may share objects of the
  /// control thread's: the loader is never the last to let go of one.
  template <class Work, class Then>
  void run(Work work, Then then) {
    begin(std::make_unique<TaskOf<Work, Then>>(std::move(work), std::move(then)));
  }

  /// Comes back when all work is done; what was to follow it still waits in the context.
  void join();

 private:
  class Task {
   public:
    virtual ~Task() = default;
    virtual void work() = 0;
    virtual void follow() = 0;
  };

  template <class Work, class Then>
  class TaskOf final : public Task {
   public:
    TaskOf(Work work, Then then)
        : work_(std::move(work)),
          then_(std::move(then)) {}

    void work() override {
      if constexpr (kHasResult) {
        result_.emplace(work_());
      } else {
        work_();
      }
    }

    void follow() override {
      if constexpr (kHasResult) {
        then_(std::move(*result_));
      } else {
        then_();
      }
    }

   private:
    using Result = std::invoke_result_t<Work&>;
    static constexpr bool kHasResult = !std::is_void_v<Result>;

    struct Nothing {};

    Work work_;
    Then then_;
    std::optional<std::conditional_t<kHasResult, Result, Nothing>> result_;
  };

  void begin(std::unique_ptr<Task> task);

  boost::asio::io_context& context_;
  boost::asio::thread_pool thread_{1};
};

}  // namespace hangu::control
