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

}  // namespace hangu::http
