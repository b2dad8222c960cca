// The request that explain() is asked about, as the gateway would take it in: its host and path,
// its fields, and who the client is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/admin/explain.h"
#include "hangu/admin/query.h"
#include "hangu/base/result.h"
#include "hangu/buffer/arena.h"
#include "hangu/config/config.h"
#include "hangu/config/text_template.h"
#include "hangu/http/header_block.h"
#include "hangu/policy/path_matcher.h"
#include "hangu/policy/route_entry.h"

namespace hangu::admin {

/// The request as routing sees it.
struct Target {
  Url url;
  std::string host;        // of the Host field or the URL; lower case, no port
  uint16_t port = 0;       // of the same
  std::string path;        // normalised
  std::string path_error;  // why there is none
  bool wants_upgrade = false;
  std::string bad_header;  // a field that the listener refuses
};

/// The listener whose port the URL has; the first when none or several have.
const config::Listener* listener_for(const config::Config& config, uint16_t port);

/// The error says what is wrong with the question.
Result<Target, std::string> target_of(const ExplainRequest& request, const config::Config& config);

/// The header fields of the request.
class AskedFields {
 public:
  explicit AskedFields(const std::vector<std::string>& headers);

  const http::HeaderBlock& headers() const { return headers_; }

 private:
  buffer::BlockPool blocks_{{.block_bytes = 64 * 1024, .blocks_max = 4}};
  buffer::Arena arena_{blocks_, blocks_};
  http::HeaderBlock headers_;
};

struct AskedClient {
  std::string ip;      // empty: nothing says who it is
  std::string source;  // why it is this one, or why nobody knows
};

/// Who the listener would take for the client. `peer`: who has the connection; empty: not known,
/// then X-Forwarded-For is read as if a trusted proxy had sent it, if there are any.
AskedClient client_of(const std::string& peer, const http::HeaderBlock& headers,
                      const config::Listener* listener);

/// A request as keys and variables see it.
struct AskedRequest {
  std::string_view host;
  std::string_view path;
  std::string_view method;
  std::string_view scheme;
  std::string_view listener;
  policy::RequestFacts facts;
  policy::Captures captures;

  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> cookie(std::string_view name) const;
};

struct FilledText {
  std::string text;
  bool whole = true;  // false: some variables stay as they are written, since only a connection
                      // or an endpoint has them: "{request_id}"
};

/// What the gateway would make of a text with variables; `upstream`: an index, or kNoUpstream.
FilledText fill_in(const config::TextTemplate& text, const config::Config& config,
                   const config::Route& route, uint32_t upstream, const AskedRequest& request);

}  // namespace hangu::admin
