#include "hangu/http/message.h"

namespace hangu::http {

void RequestHead::reset(buffer::Arena& arena) {
  method = Method::kGet;
  version = Version::kHttp11;
  framing = BodyFraming::kNone;
  keep_alive = expect_continue = upgrade = has_query = false;
  port = 0;
  content_length = 0;
  method_text = target = path = query = authority = host = {};
  headers.reset(arena);
}

void ResponseHead::reset(buffer::Arena& arena) {
  status = 0;
  version = Version::kHttp11;
  framing = BodyFraming::kNone;
  keep_alive = upgrade = false;
  content_length = 0;
  reason = {};
  headers.reset(arena);
}

void copy_head(const ResponseHead& from, ResponseHead& to, buffer::Arena& arena) {
  to.reset(arena);
  to.status = from.status;
  to.version = from.version;
  to.framing = from.framing;
  to.keep_alive = from.keep_alive;
  to.upgrade = from.upgrade;
  to.content_length = from.content_length;
  to.reason = from.reason;
  for (const Header& header : from.headers) {
    static_cast<void>(to.headers.append(header));  // as many as fitted before
  }
}

}  // namespace hangu::http
