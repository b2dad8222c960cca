#include "hangu/control/loader.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "hangu/control/process.h"

namespace hangu::control {

namespace asio = boost::asio;

Loader::Loader(asio::io_context& context)
    : context_(context) {
  // A signal that its thread caught after the last look would be lost.
  asio::post(thread_, step_back);
}

Loader::~Loader() {
  join();
}

void Loader::run(std::function<void()> work) {
  asio::post(thread_, std::move(work));
}

void Loader::begin(std::unique_ptr<Task> task) {
  asio::post(thread_, [&context = context_, task = std::move(task),
                       busy = asio::make_work_guard(context_)]() mutable {
    task->work();
    asio::post(context, [task = std::move(task), busy = std::move(busy)] { task->follow(); });
  });
}

void Loader::join() {
  thread_.join();
}

}  // namespace hangu::control
