// LocalReply: an answer that the gateway gives itself, and the one mapping from Error to it. The
// body is application/problem+json (RFC 9457) with a machine-readable `code`. It never tells what
// the client need not know: details are static text. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/base/error.h"
#include "hangu/buffer/arena.h"
#include "hangu/http/message.h"
#include "hangu/http/status.h"

namespace hangu::http {

struct ReplyField {
  std::string_view name;  // lower case
  std::string_view value;
};

/// Types of problems that are not just their status (IANA HTTP Problem Types).
inline constexpr std::string_view kQuotaExceeded =
    "https://iana.org/assignments/http-problem-types#quota-exceeded";
inline constexpr std::string_view kReducedCapacity =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// The views outlive the reply's use; those of local_reply_for are static.
struct LocalReply {
  int status = 500;
  std::string_view code = "internal";     // "route.none"
  std::string_view label;                 // static: what it counts as; empty: the code, static too
  std::string_view detail;                // one line for a human; may be empty
  uint32_t retry_after_s = 0;             // 0: no Retry-After
  std::string_view allow;                 // the Allow field of a 405
  std::string_view type = "about:blank";  // of the problem (RFC 9457 §3.1.1)
  std::string_view violated_policy;       // of a quota that is used up; may be empty
  std::span<const ReplyField> fields;     // more of them
  // In place of the problem, when there is a content type.
  std::string_view content_type;
  std::string_view body;
  int grpc_status = -1;    // for gRPC calls; -1: what stands for `status`
  bool cacheable = false;  // by its status alone
  bool close = false;      // the connection cannot be used any more
};

/// The reply to an error: the table "Local replies" of the semantics. Whose fault it is counts: the
/// same malformed head is 400 from a client and 502 from an upstream.
LocalReply local_reply_for(const Error& error) noexcept;

/// {"type","title","status","code","detail","request_id","retry_after","violated-policies"}, from
/// "detail" on only what is given.
std::string_view render_problem_json(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena);

/// Fills in `response` (status, fields, framing) and returns the body. A response to HEAD is the
/// same without sending the body.
std::string_view make_local_response(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena, ResponseHead& response);

}  // namespace hangu::http
