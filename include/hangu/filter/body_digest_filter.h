// BodyDigestFilter: holds the body of a signed request back until it has turned out to be the one
// that was signed. The digest is computed as the body comes in; the upstream gets nothing before.
#pragma once

#include <utility>

#include "hangu/config/mode.h"
#include "hangu/filter/auth_filter.h"
#include "hangu/filter/body_collector.h"
#include "hangu/filter/filter.h"

namespace hangu::filter {

class BodyDigestFilter final : public Filter, private BodyCollector {
 public:
  /// `authenticators`: those of the route that may want a digest.
  BodyDigestFilter(AuthFilter::List authenticators, config::Mode mode)
      : authenticators_(std::move(authenticators)),
        mode_(mode) {}

  std::string_view name() const override { return "body_digest"; }

  uint8_t hooks() const override { return kRequestHeaders | kStreamEnd; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  // BodyCollector
  void on_body_piece(Stream& stream, std::string_view piece) const noexcept override;
  void on_body_collected(Stream& stream) const noexcept override;
  void on_body_too_large(Stream& stream) const noexcept override;

  bool accept(Stream& stream, bool right) const noexcept;
  bool pass_too_large(Stream& stream) const noexcept;

  AuthFilter::List authenticators_;
  config::Mode mode_;
};

}  // namespace hangu::filter
