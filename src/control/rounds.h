// Rounds: what is done again and again on the control thread, each time saying when it is due next.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/clock.h"

namespace hangu::control {

class Rounds {
 public:
  explicit Rounds(boost::asio::io_context& context)
      : timer_(context) {}

  void start(Duration first, std::function<Duration()> round) {
    round_ = std::move(round);
    wait(first);
  }

  /// No round begins after it; perhaps within one.
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  void wait(Duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || stopped_) {
        return;
      }
      const Duration next = round_();
      if (!stopped_) {
        wait(next);
      }
    });
  }

  boost::asio::steady_timer timer_;
  std::function<Duration()> round_;
  bool stopped_ = false;
};

}  // namespace hangu::control
