#include "hangu/http/problem_page.h"

#include <algorithm>
#include <string>

#include "hangu/http/field_list.h"
#include "hangu/http/status.h"

namespace hangu::http {
namespace {

/// Of HTML, in text and in attributes. Other bytes than of ASCII need not be UTF-8.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return out;
}

}  // namespace

bool wants_page(const HeaderBlock& request) noexcept {
  const auto takes = [&](std::string_view type) {
    return list_contains(request, HeaderName::kAccept, type);
  };
  return takes("text/html") && takes("application/xhtml+xml") && !takes("application/json") &&
         !takes("application/problem+json");
}

std::string_view render_problem_page(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena) {
  const std::string title =
      std::to_string(std::max(reply.status, 0)) + ' ' + escaped(reason_phrase(reply.status));
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      title + "</title>\n<h1>" + title + "</h1>\n";
  if (!reply.detail.empty()) {
    page += "<p>" + escaped(reply.detail) + "</p>\n";
  }
  if (reply.retry_after_s != 0) {
    page += "<p>Please try again in " + std::to_string(reply.retry_after_s) + " s.</p>\n";
  }
  page += "<p><small>" + escaped(reply.code);
  if (!request_id.empty()) {
    page += " &middot; request " + escaped(request_id);
  }
  page += "</small></p>\n</html>\n";
  return arena.copy(page);
}

}  // namespace hangu::http
