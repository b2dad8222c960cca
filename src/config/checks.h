// Checks of values against each other. Those of one mapping are named in the table (schema.cc) and
// run when it was read; check_config runs last, over the whole.
#pragma once

#include "hangu/config/config.h"

#include "config/reader.h"

namespace hangu::config {

void check_upstream(Reader& reader, const Node& node, const Upstream& upstream);
void check_rate_path(Reader& reader, const Node& node, const RateMatch& match);
void check_balancing(Reader& reader, const Node& node, const Balancing& balancing);
void check_health_check(Reader& reader, const Node& node, const HealthCheck& check);
void check_rate_limit(Reader& reader, const Node& node, const RateLimit& limit);
void check_concurrency_limit(Reader& reader, const Node& node, const ConcurrencyLimit& limit);
void check_bandwidth_limit(Reader& reader, const Node& node, const BandwidthLimit& limit);
void check_adaptive(Reader& reader, const Node& node, const AdaptiveConcurrency& adaptive);
void check_queue_steps(Reader& reader, const Node& node, const QueueSteps& steps);
void check_percent_steps(Reader& reader, const Node& node, const OverloadSteps<uint32_t>& steps);
void check_delay_steps(Reader& reader, const Node& node, const OverloadSteps<Duration>& steps);
void check_route(Reader& reader, const Node& node, const Route& route);
void check_rewrite(Reader& reader, const Node& node, const Rewrite& rewrite);
void check_respond(Reader& reader, const Node& node, const DirectResponse& response);
void check_redirect(Reader& reader, const Node& node, const Redirect& redirect);
void check_cors(Reader& reader, const Node& node, const Cors& cors);
void check_mirror(Reader& reader, const Node& node, const Mirror& mirror);
void check_fault(Reader& reader, const Node& node, const Fault& fault);
void check_split(Reader& reader, const Node& node, const Split& split);
/// Whether the route learns what its shares ask of a client.
void check_shares(Reader& reader, const Node& node, const Route& route);
void check_dns(Reader& reader, const Node& node, const Upstream& upstream);
void check_route_path(Reader& reader, const Node& node, const RouteMatch& match);
void check_client_auth(Reader& reader, const Node& node, const ListenerTls& tls);
void check_audit(Reader& reader, const Node& node, const AuditLog& audit);
void check_buffers(Reader& reader, const Node& node, const Buffers& buffers);

/// The value of `key` in a mapping; the mapping itself when the key is not there.
const Node& child(const Node& node, std::string_view key);

/// Element `index` of the list under `key`; falls back to what encloses it.
const Node& element(const Node& root, std::string_view key, size_t index);

/// Routes that never match, that are told apart by their order alone, or that lack a capture that a
/// key asks for.
void check_routes(Reader& reader, const Node& root, const Config& config);

/// What cannot be: addresses bound twice, credentials of two consumers, logins that share cookies
/// or paths. Looks into the mappings of elements for places alone: they may not be there.
void check_errors(Reader& reader, const Node& root, const Config& config);

/// These and warnings: shadowed routes, unused upstreams, listeners that serve nothing.
void check_config(Reader& reader, const Node& root, const Config& config);

}  // namespace hangu::config
