// http_get: one GET by HTTP/1.1, with or without TLS (verified against the system's issuers),
// bounded in time and size. A coroutine of the control thread; follows no redirects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"
#include "hangu/http/url.h"

namespace hangu::control {

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string cache_control;
};

/// The error is one line for an operator.
boost::asio::awaitable<Result<HttpAnswer, std::string>> http_get(http::HttpUrl url,
                                                                 Duration at_most,
                                                                 size_t bytes_max);

}  // namespace hangu::control
