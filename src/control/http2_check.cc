// One request over HTTP/2, as much of it as that takes: RFC 9113 with the HPACK of codec/, one
// stream, no priorities, no flow control beyond the 64 KiB that a peer may send at first.
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "hangu/codec/http2/hpack.h"
#include "hangu/codec/http2/protocol.h"

#include "control/check_exchange.h"

namespace hangu::control {
namespace {

namespace h2 = codec::http2;
using h2::FrameType;
using h2::HpackEncoder;

constexpr size_t kPriorityBytes = 5;

char octet(uint64_t value) {
  return static_cast<char>(value & 0xff);
}

std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (const uint64_t value :
       {uint64_t{payload.size()} >> 16, uint64_t{payload.size()} >> 8, uint64_t{payload.size()},
        static_cast<uint64_t>(type), uint64_t{flags}, uint64_t{stream} >> 24,
        uint64_t{stream} >> 16, uint64_t{stream} >> 8, uint64_t{stream}}) {
    out += octet(value);
  }
  return out.append(payload);
}

uint32_t number_of(std::string_view octets) {
  uint32_t value = 0;
  for (const char each : octets) {
    value = value << 8 | static_cast<unsigned char>(each);
  }
  return value;
}

std::optional<unsigned> decimal(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

/// grpc.health.v1.HealthCheckRequest, in gRPC's frame.
std::string health_request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    size_t left = service.size();
    for (; left >= 0x80; left >>= 7) {
      message += octet(left | 0x80);
    }
    message += octet(left);
    message += service;
  }
  std::string out(1, '\0');
  for (const int shift : {24, 16, 8, 0}) {
    out += octet(message.size() >> shift);
  }
  return out + message;
}

/// The status of a HealthCheckResponse; nullopt: it is none. A status of 0 is not written.
std::optional<unsigned> serving_status(std::string_view body) {
  constexpr size_t kGrpcHeadBytes = 5;
  if (body.size() < kGrpcHeadBytes || body[0] != 0 ||
      number_of(body.substr(1, 4)) != body.size() - kGrpcHeadBytes) {
    return std::nullopt;
  }
  const std::string_view message = body.substr(kGrpcHeadBytes);
  if (message.empty()) {
    return 0;
  }
  const bool is_status = message.size() == 2 && message[0] == 0x08;
  return is_status ? std::optional<unsigned>(static_cast<unsigned char>(message[1])) : std::nullopt;
}

class Http2Check final : public CheckExchange, private codec::http2::FieldSink {
 public:
  Http2Check(const config::HealthCheck& check, const CheckPeer& peer)
      : check_(check),
        peer_(peer),
        grpc_(check.kind == config::HealthCheckKind::kGrpc) {}

  std::string begin() override {
    std::string out(h2::kClientPreface);
    out += frame(FrameType::kSettings, 0, 0,
                 std::string_view("\x00\x02\x00\x00\x00\x00", 6));  // no push
    const std::string fields = request_fields();
    out += frame(FrameType::kHeaders,
                 grpc_ ? h2::kFlagEndHeaders : h2::kFlagEndHeaders | h2::kFlagEndStream, 1, fields);
    if (grpc_) {
      out += frame(FrameType::kData, h2::kFlagEndStream, 1, health_request(check_.service));
    }
    return out;
  }

  std::optional<CheckVerdict> received(std::string_view bytes, std::string& reply) override {
    input_ += bytes;
    while (input_.size() >= h2::kFrameHeaderBytes) {
      const std::string_view all = input_;
      const size_t size = number_of(all.substr(0, 3));
      if (size > h2::kFrameSizeDefault) {
        return CheckVerdict{false, "no HTTP/2: a frame is too large"};
      }
      if (input_.size() < h2::kFrameHeaderBytes + size) {
        break;
      }
      auto verdict = take(static_cast<FrameType>(all[3]), static_cast<uint8_t>(all[4]),
                          all.substr(h2::kFrameHeaderBytes, size), reply);
      if (verdict) {
        return verdict;
      }
      input_.erase(0, h2::kFrameHeaderBytes + size);
    }
    return std::nullopt;
  }

  CheckVerdict ended() override { return {false, "closed before an answer"}; }

 private:
  std::string request_fields() {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view value) {
      const size_t before = out.size();
      out.resize(before + HpackEncoder::bytes_max(name, value));
      out.resize(before +
                 encoder_.encode(out.data() + before, name, value, HpackEncoder::Indexing::kNot));
    };
    add(":method", grpc_ ? "POST" : std::string_view(check_.method));
    add(":scheme", peer_.secure ? "https" : "http");
    add(":path", grpc_ ? "/grpc.health.v1.Health/Check" : std::string_view(check_.path));
    add(":authority", check_.host.empty() ? peer_.host : check_.host);
    add("user-agent", "hangu-health-check");
    if (grpc_) {
      add("content-type", "application/grpc");
      add("te", "trailers");
    }
    return out;
  }

  std::optional<CheckVerdict> take(FrameType type, uint8_t flags, std::string_view payload,
                                   std::string& reply) {
    switch (type) {
      case FrameType::kSettings:
        if ((flags & h2::kFlagAck) == 0) {
          reply += frame(FrameType::kSettings, h2::kFlagAck, 0, {});
        }
        return std::nullopt;
      case FrameType::kPing:
        if ((flags & h2::kFlagAck) == 0) {
          reply += frame(FrameType::kPing, h2::kFlagAck, 0, payload);
        }
        return std::nullopt;
      case FrameType::kRstStream: return CheckVerdict{false, "the stream was reset"};
      case FrameType::kGoaway:
        if (payload.size() < 8 || number_of(payload.substr(0, 4)) == 0) {
          return CheckVerdict{false, "the server takes no streams (GOAWAY)"};
        }
        return std::nullopt;
      case FrameType::kData: return take_data(flags, payload);
      case FrameType::kHeaders: return take_headers(flags, payload);
      case FrameType::kContinuation: return decode(flags, payload);
      default: return std::nullopt;
    }
  }

  /// Without padding.
  static std::optional<std::string_view> content(uint8_t flags, std::string_view payload) {
    if ((flags & h2::kFlagPadded) == 0) {
      return payload;
    }
    const size_t padding = payload.empty() ? 0 : static_cast<unsigned char>(payload[0]);
    if (payload.size() < padding + 1) {
      return std::nullopt;
    }
    return payload.substr(1, payload.size() - 1 - padding);
  }

  std::optional<CheckVerdict> take_data(uint8_t flags, std::string_view payload) {
    const auto data = content(flags, payload);
    if (!data) {
      return CheckVerdict{false, "no HTTP/2: bad padding"};
    }
    body_.append(data->substr(0, kCheckAnswerBytesMax - body_.size()));
    return verdict((flags & h2::kFlagEndStream) != 0);
  }

  std::optional<CheckVerdict> take_headers(uint8_t flags, std::string_view payload) {
    auto fields = content(flags, payload);
    if (fields && (flags & h2::kFlagPriority) != 0) {
      fields = fields->size() < kPriorityBytes ? std::nullopt
                                               : std::optional(fields->substr(kPriorityBytes));
    }
    if (!fields) {
      return CheckVerdict{false, "no HTTP/2: a bad HEADERS frame"};
    }
    ends_ = (flags & h2::kFlagEndStream) != 0;
    return decode(flags, *fields);
  }

  std::optional<CheckVerdict> decode(uint8_t flags, std::string_view fields) {
    const bool last = (flags & h2::kFlagEndHeaders) != 0;
    if (!decoder_.decode(fields, last, *this)) {
      return CheckVerdict{false, "no HTTP/2: bad header compression"};
    }
    return last ? verdict(ends_) : std::nullopt;
  }

  void on_field(std::string_view name, std::string_view value) noexcept override {
    if (name == ":status") {
      status_ = decimal(value).value_or(0);
    } else if (name == "grpc-status") {
      grpc_status_ = decimal(value);
    }
  }

  std::optional<CheckVerdict> verdict(bool end) {
    if (status_ == 0 || status_ / 100 == 1) {
      return end ? std::optional(CheckVerdict{false, "no status"}) : std::nullopt;
    }
    return grpc_ ? grpc_verdict(end) : http_verdict(end);
  }

  std::optional<CheckVerdict> http_verdict(bool end) const {
    CheckVerdict verdict{is_good_status(check_, status_), fmt::format("HTTP {}", status_)};
    if (!verdict.good || check_.body.empty() || body_.find(check_.body) != std::string::npos) {
      return verdict;
    }
    if (end || body_.size() == kCheckAnswerBytesMax) {
      return CheckVerdict{false, verdict.reason + ", but the body lacks what is expected"};
    }
    return std::nullopt;
  }

  std::optional<CheckVerdict> grpc_verdict(bool end) const {
    static constexpr std::array<std::string_view, 4> kNames = {"UNKNOWN", "SERVING", "NOT_SERVING",
                                                               "SERVICE_UNKNOWN"};
    if (!end) {
      return std::nullopt;
    }
    if (status_ != 200) {
      return CheckVerdict{false, fmt::format("HTTP {}", status_)};
    }
    if (grpc_status_ != 0U) {
      return CheckVerdict{
          false, grpc_status_ ? fmt::format("gRPC status {}", *grpc_status_) : "no gRPC status"};
    }
    const auto serving = serving_status(body_);
    if (!serving || *serving >= kNames.size()) {
      return CheckVerdict{false, "no answer of grpc.health.v1"};
    }
    return CheckVerdict{*serving == 1, fmt::format("gRPC {}", kNames[*serving])};
  }

  const config::HealthCheck& check_;
  const CheckPeer peer_;
  const bool grpc_;
  HpackEncoder encoder_;
  codec::http2::HpackDecoder decoder_;
  std::string input_;
  std::string body_;
  unsigned status_ = 0;
  std::optional<unsigned> grpc_status_;
  bool ends_ = false;
};

}  // namespace

std::unique_ptr<CheckExchange> make_http2_check(const config::HealthCheck& check,
                                                const CheckPeer& peer) {
  return std::make_unique<Http2Check>(check, peer);
}

}  // namespace hangu::control
