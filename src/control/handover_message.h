// What a process and its successor say to each other in an upgrade: one message each over a Unix
// seqpacket socket, as text, so that versions understand each other. Pure.
//
//   hangu-upgrade 1      the version of this protocol: another one is refused
//   ready                what it is
//   audit=/var/log/...   facts, one a line; then an empty line and a text, if there is one
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hangu::control {

struct HandoverMessage {
  enum class Kind : uint8_t {
    kHello,    // new: here I am; `version`, `pid`
    kSockets,  // old: descriptors; the text names the listener of each, a line each
    kBequest,  // old: that was all; `generation`; the text is Gateway::secrets()
    kReady,    // new: the config is good, the shards run, names are resolved; `audit`: the log
    kGo,       // old: what only one may write is yours; descriptors: `idle`, `audit` say which
    kDone,     // new: I accept; the old process leaves
    kMain,     // old: the service manager knows that you are the one
    kReopen,   // new, later: open your log files again
    kFailed,   // new: it cannot be; the text says why
  };

  Kind kind = Kind::kHello;
  std::map<std::string, std::string, std::less<>> facts;
  std::string text;

  /// Empty: it is not there.
  std::string fact(std::string_view name) const {
    const auto found = facts.find(name);
    return found != facts.end() ? found->second : std::string();
  }
};

inline constexpr size_t kHandoverBytesMax = 128 * 1024;

std::string encode(const HandoverMessage& message);
/// nullopt: it is of another version of the protocol, or nothing of the kind.
std::optional<HandoverMessage> decode_handover(std::string_view bytes);

}  // namespace hangu::control
