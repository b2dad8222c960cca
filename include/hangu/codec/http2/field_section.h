// FieldSection: what one HEADERS frame and its CONTINUATIONs say (RFC 9113 §8). Takes fields as
// HPACK decodes them, checks each, copies what is good into the message's arena, and makes a
// RequestHead or ResponseHead of the whole: the same type, under the same rules, as HTTP/1.1 has.
// What has no place in HTTP/2, or could become another message in HTTP/1.1, is refused here. After
// the first problem nothing more is copied: the rest of the block costs only its decoding. One
// connection, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/buffer/arena.h"
#include "hangu/codec/http2/hpack.h"
#include "hangu/http/header_block.h"
#include "hangu/http/message.h"

namespace hangu::codec::http2 {

struct FieldLimits {
  uint32_t list_bytes = 60 * 1024;   // of a section, counted as SETTINGS_MAX_HEADER_LIST_SIZE is
  uint32_t line_bytes = 16 * 1024;   // of one field, name and value
  uint32_t target_bytes = 8 * 1024;  // of :path
  uint32_t count = 100;              // fields, pseudo-header fields not counted
  bool allow_underscore = false;     // in names of request fields
};

class FieldSection final : public FieldSink {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };

  /// Counts 32 bytes a field, RFC 9113 §6.5.2.
  static constexpr uint32_t kFieldOverhead = 32;

  /// Starts a section: fields go into `fields`, which is freshly reset, their bytes into `arena`.
  void begin(Kind kind, http::HeaderBlock& fields, buffer::Arena& arena,
             const FieldLimits& limits) noexcept;
  /// Starts a section that nobody wants.
  void begin_discarded() noexcept;

  void on_field(std::string_view name, std::string_view value) noexcept override;

  // At the end of the block, after begin() with the kind in question.

  /// Fills in `out`, whose fields were given to begin(). `end_stream`: no body follows. On an
  /// error `out` holds what was understood, enough for a reply.
  Result<void> finish_request(http::RequestHead& out, bool end_stream) noexcept;
  Result<void> finish_response(http::ResponseHead& out, http::Method request_method,
                               bool end_stream) noexcept;
  /// Removes the fields that trailers may not carry.
  Result<void> finish_trailers() noexcept;

  /// Whether the section breaks a rule of HTTP/2 itself (§8.1.1: malformed), rather than a limit or
  /// a rule of HTTP.
  bool malformed() const { return malformed_; }

 private:
  /// The pseudo-header fields, §8.3 and RFC 8441 §4.
  enum class Pseudo : uint8_t { kMethod, kScheme, kAuthority, kPath, kProtocol, kStatus, kCount };

  std::string_view& pseudo(Pseudo which) { return pseudo_[static_cast<size_t>(which)]; }

  bool has(Pseudo which) const { return (seen_ & (1U << static_cast<unsigned>(which))) != 0; }

  void take_pseudo(std::string_view name, std::string_view value);
  void take_regular(std::string_view name, std::string_view value);
  void take_control(http::HeaderName token, std::string_view value);
  void take_content_length(std::string_view value);
  void store(http::HeaderName token, std::string_view name, std::string_view value);
  void join_cookies();
  bool check_request_pseudo();
  void take_method(http::RequestHead& out);
  void take_target(http::RequestHead& out);
  void take_authority(http::RequestHead& out);
  void set_request_framing(http::RequestHead& out, bool end_stream);
  void turn_into_upgrade(http::RequestHead& out);
  void refuse(Errc code, const char* detail);
  void refuse_malformed(const char* detail, Errc code = Errc::kBadHeader);
  Result<void> result(Side side) const;

  Kind kind_ = Kind::kRequest;
  bool malformed_ = false;
  bool regular_seen_ = false;
  uint8_t seen_ = 0;  // Pseudo bits
  uint16_t cookies_ = 0;
  Error problem_{.code = Errc::kNone};
  FieldLimits limits_;
  uint64_t list_bytes_ = 0;
  uint64_t content_length_ = 0;
  std::string_view host_;
  std::string_view pseudo_[static_cast<size_t>(Pseudo::kCount)];
  http::HeaderBlock* fields_ = nullptr;
  buffer::Arena* arena_ = nullptr;
};

}  // namespace hangu::codec::http2
