// The header edit filter: removes, sets and adds fields of a route's requests and responses, and of
// the answers that a route is made to give (redirects and the like), not of refusals.
#pragma once

#include <optional>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_text.h"
#include "hangu/http/header_block.h"

namespace hangu::filter {

class HeaderEditFilter final : public Filter {
 public:
  HeaderEditFilter(const config::HeaderEdit& request, const config::HeaderEdit& response);

  std::string_view name() const override { return "header_edit"; }

  uint8_t hooks() const override;
  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  void on_local_reply(Stream& stream) const noexcept override;

 private:
  /// A field with its name looked up once.
  struct Field {
    http::Header ready{};             // with value and line, where those are always the same
    std::optional<RequestText> text;  // the value, where they are not

    http::Header of(Stream& stream) const noexcept;
  };

  struct Edit {
    std::vector<Field> remove;
    std::vector<Field> set;
    std::vector<Field> set_if_absent;
    std::vector<Field> add;
    std::vector<char> lines;  // that all of them point to

    bool empty() const {
      return remove.empty() && set.empty() && set_if_absent.empty() && add.empty();
    }
  };

  static Edit compile(const config::HeaderEdit& edit);
  static void apply(const Edit& edit, Stream& stream, http::HeaderBlock& headers) noexcept;

  Edit request_;
  Edit response_;
};

}  // namespace hangu::filter
