// HandoverChannel: a process's end of the socket to its successor or predecessor: messages with
// descriptors out and in, as the io_context finds room and time. Control thread.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "control/handover_message.h"

namespace hangu::control {

class HandoverChannel {
 public:
  /// `message` is null when the other end is closed or talks nonsense: the last call.
  using Listener =
      std::function<void(const HandoverMessage* message, std::vector<int> descriptors)>;

  /// Owns `socket`. `listener` may destroy the channel.
  HandoverChannel(boost::asio::io_context& context, int socket, Listener listener);

  HandoverChannel(const HandoverChannel&) = delete;
  HandoverChannel& operator=(const HandoverChannel&) = delete;

  /// The descriptors stay the caller's.
  void send(const HandoverMessage& message, const std::vector<int>& descriptors = {});

 private:
  struct Waiting {
    std::string bytes;
    std::vector<int> descriptors;  // copies
  };

  void wait_to_read();
  void read();
  void write();
  void give_up(const Waiting& failed);

  boost::asio::posix::stream_descriptor socket_;
  Listener listener_;
  std::deque<Waiting> out_;
  bool writing_ = false;
};

}  // namespace hangu::control
