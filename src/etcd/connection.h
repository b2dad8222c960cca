// Connection: one HTTP/1.1 connection to a member of an etcd cluster, with or without TLS. One
// question at a time; a coroutine of one thread. It does not know what is asked.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"
#include "hangu/etcd/client.h"
#include "hangu/http/url.h"

namespace hangu::etcd {

/// For members with https://. The error names the file that is wrong.
Result<std::shared_ptr<boost::asio::ssl::context>, std::string> make_tls(const Options& options);

struct HttpReply {
  int status = 0;
  std::string body;
};

class Connection {
 public:
  virtual ~Connection() = default;

  /// Sends one POST and reads the whole answer.
  virtual boost::asio::awaitable<Result<HttpReply, std::string>> ask(std::string target,
                                                                     std::string token,
                                                                     std::string body) = 0;

  /// Sends one POST and reads the head of its answer; the status.
  virtual boost::asio::awaitable<Result<int, std::string>> open_stream(std::string target,
                                                                       std::string token,
                                                                       std::string body) = 0;

  /// The next piece of the body, without a time limit; an error at its end.
  virtual boost::asio::awaitable<Result<std::string, std::string>> read_piece() = 0;

  /// Whatever is under way fails.
  virtual void close() = 0;
};

/// Connects within `at_most`, which holds for ask() and open_stream(), too.
boost::asio::awaitable<Result<std::shared_ptr<Connection>, std::string>> connect(
    http::HttpUrl url, std::string server_name, std::shared_ptr<boost::asio::ssl::context> tls,
    Duration at_most);

}  // namespace hangu::etcd
