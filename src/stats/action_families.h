// What the actions of routes count, as Prometheus gets it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/stats/route_stats.h"

namespace hangu::stats {

struct ActionMetric {
  std::string_view labels;  // beside the route
  uint64_t (*value)(const RouteActionCounters&);
};

inline constexpr ActionMetric kPreflights[] = {
    {"", [](const RouteActionCounters& c) { return c.preflights.value(); }},
};

inline constexpr ActionMetric kCompressed[] = {
    {",coding=\"gzip\"", [](const RouteActionCounters& c) { return c.compressed[0].value(); }},
    {",coding=\"br\"", [](const RouteActionCounters& c) { return c.compressed[1].value(); }},
    {",coding=\"zstd\"", [](const RouteActionCounters& c) { return c.compressed[2].value(); }},
    {",coding=\"none\"",
     [](const RouteActionCounters& c) { return c.compression_skipped.value(); }},
};

inline constexpr ActionMetric kCompressionBytes[] = {
    {",side=\"in\"", [](const RouteActionCounters& c) { return c.compression_bytes_in.value(); }},
    {",side=\"out\"", [](const RouteActionCounters& c) { return c.compression_bytes_out.value(); }},
};

inline constexpr ActionMetric kFaults[] = {
    {",fault=\"abort\"", [](const RouteActionCounters& c) { return c.faults_aborted.value(); }},
    {",fault=\"delay\"", [](const RouteActionCounters& c) { return c.faults_delayed.value(); }},
    {",fault=\"skipped\"", [](const RouteActionCounters& c) { return c.faults_skipped.value(); }},
    {",fault=\"shadow\"", [](const RouteActionCounters& c) { return c.faults_shadow.value(); }},
};

inline constexpr ActionMetric kMirrored[] = {
    {",outcome=\"sent\"", [](const RouteActionCounters& c) { return c.mirrored.value(); }},
    {",outcome=\"skipped_body\"",
     [](const RouteActionCounters& c) { return c.mirror_skipped_body.value(); }},
    {",outcome=\"skipped_busy\"",
     [](const RouteActionCounters& c) { return c.mirror_skipped_busy.value(); }},
};

inline constexpr ActionMetric kOpenApi[] = {
    {",outcome=\"passed\"", [](const RouteActionCounters& c) { return c.openapi_passed.value(); }},
    {",outcome=\"refused\"",
     [](const RouteActionCounters& c) { return c.openapi_refused.value(); }},
    {",outcome=\"shadow\"", [](const RouteActionCounters& c) { return c.openapi_shadow.value(); }},
    {",outcome=\"unchecked\"",
     [](const RouteActionCounters& c) { return c.openapi_unchecked.value(); }},
};

inline constexpr ActionMetric kShadowRefused[] = {
    {",policy=\"clients\"", [](const RouteActionCounters& c) { return c.clients_shadow.value(); }},
    {",policy=\"cors\"", [](const RouteActionCounters& c) { return c.cors_shadow.value(); }},
};

struct ActionFamily {
  std::string_view name;
  std::string_view help;
  std::span<const ActionMetric> metrics;
};

inline constexpr ActionFamily kActionFamilies[] = {
    {"hangu_route_preflights_total", "CORS preflights answered.", kPreflights},
    {"hangu_route_shadow_refused_total",
     "Requests that a list of clients or CORS, in shadow mode, would have refused.",
     kShadowRefused},
    {"hangu_route_compressed_total",
     "Responses compressed, by coding; none: there was no memory left for it.", kCompressed},
    {"hangu_route_compression_bytes_total", "Bytes that went in and came out.", kCompressionBytes},
    {"hangu_route_faults_total", "Faults made on purpose.", kFaults},
    {"hangu_route_mirrored_total", "Copies of requests: sent, or not made and why.", kMirrored},
    {"hangu_route_openapi_total", "Requests held against an OpenAPI description.", kOpenApi},
};

}  // namespace hangu::stats
