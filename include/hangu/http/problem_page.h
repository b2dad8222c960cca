// A local reply as a page, for people who meet it in a browser.
#pragma once

#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/http/header_block.h"
#include "hangu/http/local_reply.h"

namespace hangu::http {

inline constexpr std::string_view kPageType = "text/html; charset=utf-8";

/// Whether who asks is a browser that goes to a page: all of them name `application/xhtml+xml`
/// then, beside `text/html`; libraries whose default names only the latter do not.
bool wants_page(const HeaderBlock& request) noexcept;

/// What render_problem_json() says, but for what only programs need.
std::string_view render_problem_page(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena);

}  // namespace hangu::http
