#include "hangu/control/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::control {

uint64_t prepare_process() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a log beyond RLIMIT_FSIZE is an error like a full disk
  ::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, no child could be waited for
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (before < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log::warning("descriptor_limit_not_raised limit={} errno={}", before, errno);
    return before;
  }
  return limit.rlim_cur;
}

void step_back() {
  constexpr int kNice = 10;
  block_asynchronous_signals();
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

void start_resolver_thread(boost::asio::io_context& context) {
  const SignalsBlocked takes_no_signal;
  auto resolver = std::make_shared<boost::asio::ip::tcp::resolver>(context);
  resolver->async_resolve("127.0.0.1", "0", boost::asio::ip::resolver_base::numeric_host,
                          [resolver](const boost::system::error_code&, const auto&) {});
}

SignalsBlocked::SignalsBlocked() {
  const sigset_t signals = asynchronous_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, &previous_);
}

SignalsBlocked::~SignalsBlocked() {
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

TimePoint monotonic_now() {
  return std::chrono::steady_clock::now();
}

WallTime wall_now() {
  return std::chrono::system_clock::now();
}

}  // namespace hangu::control
