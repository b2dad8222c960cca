// CorsFilter: answers preflights in place of the upstream, and tells browsers which pages may read
// the answers, those of the gateway itself included. First in its route's chain: a preflight
// carries no credentials, and asks nothing that would have to be limited.
#pragma once

#include "hangu/filter/filter.h"
#include "hangu/policy/cors.h"

namespace hangu::filter {

class CorsFilter final : public Filter {
 public:
  explicit CorsFilter(const config::Cors& config)
      : policy_(config),
        shadow_(config.mode == config::Mode::kShadow) {}

  std::string_view name() const override { return "cors"; }

  uint8_t hooks() const override {
    return static_cast<uint8_t>(kRequestHeaders | (shadow_ ? 0 : kResponseHeaders | kLocalReply));
  }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  void on_local_reply(Stream& stream) const noexcept override;

 private:
  void answer_preflight(Stream& stream, std::string_view origin,
                        std::string_view method) const noexcept;
  void refuse(Stream& stream, const policy::CorsRefusal& refusal) const noexcept;
  void mark(Stream& stream) const noexcept;

  policy::CorsPolicy policy_;
  bool shadow_;
};

}  // namespace hangu::filter
