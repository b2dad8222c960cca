// PluginFilter: one use of a plugin in the chain of a route. It calls the plugin's functions,
// measures them, and does what they ask for; what a plugin may do with a stream is
// plugin_functions().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hangu/base/clock.h"
#include "hangu/config/plugins.h"
#include "hangu/filter/filter.h"
#include "hangu/plugin/library.h"

namespace hangu::filter {

struct PluginFilterOptions {
  config::Mode mode = config::Mode::kEnforce;
  config::PluginError on_error = config::PluginError::kRefuse;
  Duration budget{};   // 0: none
  uint32_t place = 0;  // among the plugins of the route
};

class PluginFilter final : public Filter {
 public:
  PluginFilter(std::shared_ptr<const plugin::Instance> instance,
               const PluginFilterOptions& options);

  std::string_view name() const override { return "plugin"; }

  uint8_t hooks() const override { return hooks_; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_request_data(Stream& stream, buffer::Slice& data,
                               bool end) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_data(Stream& stream, buffer::Slice& data,
                                bool end) const noexcept override;
  void on_local_reply(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

  bool shadow() const { return options_.mode == config::Mode::kShadow; }

  uint32_t place() const { return options_.place; }

 private:
  template <class Function>
  int call(hangu_stream& view, const char* phase, Function function) const noexcept;
  void note_overrun(Stream& stream, const char* phase, uint64_t took_ns) const noexcept;
  bool may_complain(Stream& stream) const noexcept;
  void settle(Stream& stream, const hangu_stream& view, int answer,
              const char* phase) const noexcept;
  void reply(Stream& stream, const hangu_stream& view) const noexcept;
  void on_failure(Stream& stream, int answer, const char* phase) const noexcept;

  std::shared_ptr<const plugin::Instance> instance_;
  PluginFilterOptions options_;
  uint8_t hooks_;
  uint64_t budget_ns_;
  std::string error_code_;  // "filter.error:stamp"
};

/// The functions of hangu_host that are about streams.
const hangu_host& plugin_functions();

}  // namespace hangu::filter
