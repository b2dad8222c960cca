#include "control/check_exchange.h"

#include <algorithm>

#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace hangu::control {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

class TcpCheck final : public CheckExchange {
 public:
  explicit TcpCheck(const config::HealthCheck& check)
      : check_(check) {}

  std::string begin() override { return check_.send; }

  std::optional<CheckVerdict> received(std::string_view bytes, std::string& /*reply*/) override {
    answer_.append(bytes.substr(0, kCheckAnswerBytesMax - answer_.size()));
    if (answer_.find(check_.expect) != std::string::npos) {
      return CheckVerdict{true, "the answer is as expected"};
    }
    if (answer_.size() == kCheckAnswerBytesMax) {
      return CheckVerdict{false, "the answer lacks what is expected"};
    }
    return std::nullopt;
  }

  CheckVerdict ended() override { return {false, "closed before the expected answer"}; }

 private:
  const config::HealthCheck& check_;
  std::string answer_;
};

class Http1Check final : public CheckExchange {
 public:
  Http1Check(const config::HealthCheck& check, const CheckPeer& peer)
      : check_(check),
        host_(check.host.empty() ? peer.host : check.host) {}

  std::string begin() override {
    reset();
    return fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hangu-health-check\r\nConnection: close\r\n\r\n",
        check_.method, check_.path, host_);
  }

  std::optional<CheckVerdict> received(std::string_view bytes, std::string& /*reply*/) override {
    input_ += bytes;
    while (!input_.empty()) {
      error_code error;
      const size_t used = parser_->put(boost::asio::buffer(input_.data(), input_.size()), error);
      input_.erase(0, used);
      if (error && error != http::error::need_more) {
        return CheckVerdict{false, "no HTTP: " + error.message()};
      }
      if (parser_->is_header_done() && parser_->get().result_int() / 100 == 1) {
        reset();  // the final one follows
        continue;
      }
      if (auto known = verdict()) {
        return known;
      }
      if (used == 0) {
        break;
      }
    }
    return std::nullopt;
  }

  CheckVerdict ended() override {
    error_code error;
    if (parser_->got_some() && parser_->is_header_done()) {
      parser_->put_eof(error);
      if (auto known = verdict()) {
        return *known;
      }
    }
    return {false, "closed before an answer"};
  }

 private:
  void reset() {
    parser_ = std::make_unique<http::response_parser<http::string_body>>();
    parser_->eager(true);
    parser_->body_limit(boost::none);
    parser_->skip(check_.method == "HEAD");
  }

  std::optional<CheckVerdict> verdict() const {
    if (!parser_->is_header_done()) {
      return std::nullopt;
    }
    const unsigned status = parser_->get().result_int();
    CheckVerdict verdict{is_good_status(check_, status), fmt::format("HTTP {}", status)};
    if (!verdict.good || check_.body.empty()) {
      return verdict;
    }
    const std::string& body = parser_->get().body();
    const std::string_view looked_at = std::string_view(body).substr(0, kCheckAnswerBytesMax);
    if (looked_at.find(check_.body) != std::string_view::npos) {
      return verdict;
    }
    if (parser_->is_done() || body.size() >= kCheckAnswerBytesMax) {
      return CheckVerdict{false, verdict.reason + ", but the body lacks what is expected"};
    }
    return std::nullopt;
  }

  const config::HealthCheck& check_;
  std::string host_;
  std::string input_;
  std::unique_ptr<http::response_parser<http::string_body>> parser_;
};

}  // namespace

bool is_good_status(const config::HealthCheck& check, unsigned status) {
  return std::any_of(check.statuses.begin(), check.statuses.end(),
                     [&](const config::StatusRange& range) {
                       return status >= range.first && status <= range.last;
                     });
}

std::unique_ptr<CheckExchange> make_http1_check(const config::HealthCheck& check,
                                                const CheckPeer& peer) {
  return std::make_unique<Http1Check>(check, peer);
}

std::unique_ptr<CheckExchange> make_check_exchange(const config::HealthCheck& check,
                                                   const CheckPeer& peer) {
  switch (check.kind) {
    case config::HealthCheckKind::kTcp:
      return check.expect.empty() ? nullptr : std::make_unique<TcpCheck>(check);
    case config::HealthCheckKind::kGrpc: return make_http2_check(check, peer);
    case config::HealthCheckKind::kHttp: break;
  }
  return peer.http2 ? make_http2_check(check, peer) : make_http1_check(check, peer);
}

}  // namespace hangu::control
