// What a plugin holds of a stream during one call.
#pragma once

#include "hangu/filter/plugin_filter.h"
#include "hangu/filter/stream.h"
#include "hangu/plugin.h"

struct hangu_stream {  // NOLINT(readability-identifier-naming): the interface names it
  hangu::filter::Stream& stream;
  const hangu::filter::PluginFilter& filter;
  uint32_t phase;                        // one of HANGU_PHASE_*
  hangu::buffer::Slice* data = nullptr;  // of a body phase
  hangu::http::LocalReply reply{};       // what the plugin answers, if `replied`
  bool replied = false;
};
