#include "hangu/http/method.h"

namespace hangu::http {

Method method_from(std::string_view text) noexcept {
  switch (text.size()) {
    case 3:
      if (text == "GET") {
        return Method::kGet;
      }
      return text == "PUT" ? Method::kPut : Method::kOther;
    case 4:
      if (text == "POST") {
        return Method::kPost;
      }
      return text == "HEAD" ? Method::kHead : Method::kOther;
    case 5:
      if (text == "PATCH") {
        return Method::kPatch;
      }
      return text == "TRACE" ? Method::kTrace : Method::kOther;
    case 6: return text == "DELETE" ? Method::kDelete : Method::kOther;
    case 7:
      if (text == "OPTIONS") {
        return Method::kOptions;
      }
      return text == "CONNECT" ? Method::kConnect : Method::kOther;
    default: return Method::kOther;
  }
}

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kDelete: return "DELETE";
    case Method::kConnect: return "CONNECT";
    case Method::kOptions: return "OPTIONS";
    case Method::kTrace: return "TRACE";
    case Method::kPatch: return "PATCH";
    case Method::kOther: break;
  }
  return "OTHER";
}

}  // namespace hangu::http
