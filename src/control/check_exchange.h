// CheckExchange: what is said to an endpoint to learn whether it is well, and what its answer
// means. Sans-I/O: bytes in, bytes out; connections, TLS and time are check_probe's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/config/config.h"

namespace hangu::control {

struct CheckVerdict {
  bool good = false;
  std::string reason;  // "HTTP 200", "no connection: Connection refused"
};

/// More of an answer than this is not looked at.
inline constexpr size_t kCheckAnswerBytesMax = 64 * 1024;

class CheckExchange {
 public:
  virtual ~CheckExchange() = default;

  /// What is sent first; may be empty.
  virtual std::string begin() = 0;
  /// Appends to `reply` what is to be sent next.
  virtual std::optional<CheckVerdict> received(std::string_view bytes, std::string& reply) = 0;
  /// The peer has closed.
  virtual CheckVerdict ended() = 0;
};

struct CheckPeer {
  bool http2 = false;
  bool secure = false;
  std::string host;  // for the Host field, unless the check has one
};

/// nullptr: a connection is enough.
std::unique_ptr<CheckExchange> make_check_exchange(const config::HealthCheck& check,
                                                   const CheckPeer& peer);

/// Whether the status is one of those that are good.
bool is_good_status(const config::HealthCheck& check, unsigned status);

// One for each kind; `check` lives as long as they do.
std::unique_ptr<CheckExchange> make_http1_check(const config::HealthCheck& check,
                                                const CheckPeer& peer);
std::unique_ptr<CheckExchange> make_http2_check(const config::HealthCheck& check,
                                                const CheckPeer& peer);

}  // namespace hangu::control
