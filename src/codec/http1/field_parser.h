// Parses the field lines of a head or a trailer section (RFC 9112 §5) into a HeaderBlock, and
// gathers what the fields say about framing and connection. Strict: nothing is repaired.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/base/error.h"
#include "hangu/http/header_block.h"
#include "hangu/http/hop_by_hop.h"

namespace hangu::codec::http1 {

/// What is wrong, if anything. `detail` is static text.
struct Problem {
  Errc code = Errc::kNone;
  const char* detail = "";

  explicit operator bool() const { return code != Errc::kNone; }
};

struct FieldRules {
  enum class Section : uint8_t { kRequest, kResponse, kTrailer };

  Section section = Section::kRequest;
  bool allow_underscore = true;
  uint32_t count_max = 0;
};

/// Of fields that rule the message itself. Their presence is in the HeaderBlock.
struct ControlFields {
  std::string_view host;
  std::string_view transfer_encoding;
  uint64_t content_length = 0;
  http::ConnectionOptions connection;
  bool upgrades =
      false;  // exactly one Upgrade field, and no protocol in it that must not be tunnelled
};

/// `lines`: whole lines with their CRLFs, without the empty line. Not for trailers: control fields
/// there are the caller's to refuse, `control` is left alone.
Problem parse_fields(std::string_view lines, const FieldRules& rules, http::HeaderBlock& headers,
                     ControlFields& control);

/// Whether Transfer-Encoding is exactly one "chunked" (RFC 9112 §6.1); what is wrong else:
/// kNotImplemented for other codings, kBadFraming for what is no list of codings with chunked last.
Problem check_transfer_encoding(std::string_view value);

}  // namespace hangu::codec::http1
