// SignalWatch: tells of the signals that a daemon obeys, one after the other. Control thread.
#pragma once

#include <csignal>
#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace hangu::control {

class SignalWatch {
 public:
  SignalWatch(boost::asio::io_context& context, std::function<void(int)> on_signal)
      : signals_(context),
        on_signal_(std::move(on_signal)) {}

  void start() {
    for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2}) {
      boost::system::error_code error;
      signals_.add(number, error);  // nothing the second time
    }
    signals_.async_wait([this](boost::system::error_code error, int number) {
      if (!error) {
        start();
        on_signal_(number);
      }
    });
  }

  void stop() {
    boost::system::error_code ignored;
    signals_.cancel(ignored);
  }

 private:
  boost::asio::signal_set signals_;
  std::function<void(int)> on_signal_;
};

}  // namespace hangu::control
