#include "hangu/filter/plugin_filter.h"

#include <algorithm>

#include "hangu/base/log.h"
#include "hangu/filter/stream.h"
#include "hangu/plugin/crash_report.h"

#include "filter/plugin_view.h"

namespace hangu::filter {
namespace {

// Of what goes wrong with one plugin the log tells once in this time, by each shard.
constexpr uint64_t kComplaintIntervalS = 1;

// The phases are hooks by another name.
static_assert(uint8_t{HANGU_PHASE_REQUEST_HEAD} == kRequestHeaders);
static_assert(uint8_t{HANGU_PHASE_REQUEST_BODY} == kRequestData);
static_assert(uint8_t{HANGU_PHASE_RESPONSE_HEAD} == kResponseHeaders);
static_assert(uint8_t{HANGU_PHASE_RESPONSE_BODY} == kResponseData);
static_assert(uint8_t{HANGU_PHASE_STREAM_END} == kStreamEnd);
static_assert(uint8_t{HANGU_PHASE_LOCAL_REPLY} == kLocalReply);

hangu_text text_of(const buffer::Slice& data) {
  return {.data = data.size != 0 ? data.data : "", .size = data.size};
}

}  // namespace

PluginFilter::PluginFilter(std::shared_ptr<const plugin::Instance> instance,
                           const PluginFilterOptions& options)
    : instance_(std::move(instance)),
      options_(options),
      hooks_(static_cast<uint8_t>(instance_->library().api().phases)),
      budget_ns_(options.budget == Duration::zero()
                     ? UINT64_MAX
                     : static_cast<uint64_t>(options.budget.count())),
      error_code_("filter.error:" + instance_->library().name()) {}

template <class Function>
int PluginFilter::call(hangu_stream& view, const char* phase, Function function) const noexcept {
  const plugin::Library& library = instance_->library();
  const RouteRuntime* route = view.stream.route();
  const plugin::Suspect who{.plugin = library.name().c_str(),
                            .version = library.api().version,
                            .sha256 = library.sha256().c_str(),
                            .phase = phase,
                            .route = route != nullptr ? route->config->name.c_str() : "-"};
  stats::PluginSlot& slot = library.stats().slot(view.stream.shard().shard());
  const plugin::Ticks& ticks = library.ticks();
  uint64_t took = 0;
  int answer = HANGU_OK;
  {
    const plugin::Suspicion suspicion(who);
    const uint64_t begun = ticks.now();
    answer = function(library.api());
    took = ticks.now() - begun;
  }
  const uint64_t took_ns = ticks.to_ns(took);
  slot.calls.add();
  slot.time_ns.add(took_ns);
  if (took_ns > budget_ns_) [[unlikely]] {
    note_overrun(view.stream, phase, took_ns);
  }
  return answer;
}

bool PluginFilter::may_complain(Stream& stream) const noexcept {
  stats::PluginSlot& slot = instance_->library().stats().slot(stream.shard().shard());
  const auto now_s = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(stream.now().time_since_epoch()).count());
  if (slot.complained_s.value() + kComplaintIntervalS > now_s && slot.complained_s.value() != 0) {
    return false;
  }
  slot.complained_s.set(now_s);
  return true;
}

void PluginFilter::note_overrun(Stream& stream, const char* phase,
                                uint64_t took_ns) const noexcept {
  const plugin::Library& library = instance_->library();
  library.stats().slot(stream.shard().shard()).overruns.add();
  if (may_complain(stream)) {
    log::warning(
        "event=plugin_overrun plugin={} version={} phase={} route={} took_us={} "
        "budget_us={}",
        library.name(), library.version(), phase,
        stream.route() != nullptr ? stream.route()->config->name : "-", took_ns / 1000,
        budget_ns_ / 1000);
  }
}

/// Does what the plugin has decided.
void PluginFilter::settle(Stream& stream, const hangu_stream& view, int answer,
                          const char* phase) const noexcept {
  if (answer == HANGU_OK) [[likely]] {
    return;
  }
  if (answer == HANGU_REPLIED && view.replied) {
    reply(stream, view);
  } else {
    on_failure(stream, answer, phase);
  }
}

void PluginFilter::reply(Stream& stream, const hangu_stream& view) const noexcept {
  const plugin::Library& library = instance_->library();
  stats::PluginSlot& slot = library.stats().slot(stream.shard().shard());
  if (shadow()) {
    slot.shadow_replies.add();
    stream.note_shadow(library.name());
    return;
  }
  slot.replies.add();
  stream.info.rule = library.name();
  stream.send_local_reply(view.reply, name());
}

void PluginFilter::on_failure(Stream& stream, int answer, const char* phase) const noexcept {
  const plugin::Library& library = instance_->library();
  library.stats().slot(stream.shard().shard()).errors.add();
  if (may_complain(stream)) {
    log::error("event=plugin_error plugin={} version={} phase={} answer={}", library.name(),
               library.version(), phase, answer);
  }
  if (shadow() || options_.on_error == config::PluginError::kPass) {
    return;
  }
  stream.info.rule = library.name();
  if (stream.head_sent()) {
    stream.fail(internal_error(Errc::kInternal, "a plugin failed"));
    return;
  }
  stream.send_local_reply(
      {.status = 500, .code = error_code_, .label = "filter.error", .detail = "a filter failed"},
      name());
}

FilterStatus PluginFilter::on_request_headers(Stream& stream) const noexcept {
  hangu_stream view{.stream = stream, .filter = *this, .phase = HANGU_PHASE_REQUEST_HEAD};
  const int answer = call(view, "request_head", [&](const hangu_plugin& api) {
    return api.on_request_head(instance_->object(), &view);
  });
  settle(stream, view, answer, "request_head");
  return FilterStatus::kContinue;
}

FilterStatus PluginFilter::on_request_data(Stream& stream, buffer::Slice& data,
                                           bool end) const noexcept {
  hangu_stream view{
      .stream = stream, .filter = *this, .phase = HANGU_PHASE_REQUEST_BODY, .data = &data};
  const int answer = call(view, "request_body", [&](const hangu_plugin& api) {
    return api.on_request_body(instance_->object(), &view, text_of(data), end ? 1 : 0);
  });
  settle(stream, view, answer, "request_body");
  return FilterStatus::kContinue;
}

FilterStatus PluginFilter::on_response_headers(Stream& stream) const noexcept {
  hangu_stream view{.stream = stream, .filter = *this, .phase = HANGU_PHASE_RESPONSE_HEAD};
  const int answer = call(view, "response_head", [&](const hangu_plugin& api) {
    return api.on_response_head(instance_->object(), &view);
  });
  settle(stream, view, answer, "response_head");
  return FilterStatus::kContinue;
}

FilterStatus PluginFilter::on_response_data(Stream& stream, buffer::Slice& data,
                                            bool end) const noexcept {
  hangu_stream view{
      .stream = stream, .filter = *this, .phase = HANGU_PHASE_RESPONSE_BODY, .data = &data};
  const int answer = call(view, "response_body", [&](const hangu_plugin& api) {
    return api.on_response_body(instance_->object(), &view, text_of(data), end ? 1 : 0);
  });
  settle(stream, view, answer, "response_body");
  return FilterStatus::kContinue;
}

void PluginFilter::on_local_reply(Stream& stream) const noexcept {
  hangu_stream view{.stream = stream, .filter = *this, .phase = HANGU_PHASE_LOCAL_REPLY};
  static_cast<void>(call(view, "local_reply", [&](const hangu_plugin& api) {
    api.on_local_reply(instance_->object(), &view);
    return HANGU_OK;
  }));
}

void PluginFilter::on_stream_end(Stream& stream) const noexcept {
  hangu_stream view{.stream = stream, .filter = *this, .phase = HANGU_PHASE_STREAM_END};
  static_cast<void>(call(view, "stream_end", [&](const hangu_plugin& api) {
    api.on_stream_end(instance_->object(), &view);
    return HANGU_OK;
  }));
}

}  // namespace hangu::filter
