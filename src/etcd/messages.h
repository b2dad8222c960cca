// What is asked and answered, as the JSON of etcd's v3 API: bytes in Base64, numbers of 64 bits as
// text. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "hangu/etcd/client.h"

namespace hangu::etcd {

/// The first key behind all that begin with `prefix`.
std::string range_end(std::string_view prefix);

std::string range_message(const RangeRequest& request, std::string_view from, int64_t limit);
std::string txn_message(const std::vector<Compare>& compares,
                        const std::vector<Operation>& operations);
std::string watch_message(std::string_view prefix, int64_t revision);

std::string login_message(std::string_view username, std::string_view password);

std::string grant_message(int64_t ttl_seconds);

/// Of questions about a lease that there is.
std::string lease_message(int64_t lease);

/// A reply's body with a status other than 200.
Error read_error(int status, std::string_view body);

struct RangePage {
  RangeAnswer answer;
  bool more = false;
};

Answer<RangePage> read_range(std::string_view body);
Answer<TxnAnswer> read_txn(std::string_view body);

/// The number of a lease that was granted.
Answer<int64_t> read_lease(std::string_view body);

/// Whether the lease goes on.
Answer<bool> read_kept_alive(std::string_view body);

/// A line of a watch's stream.
std::variant<WatchNews, Error> read_watch_line(std::string_view line);

/// The member `token`.
Answer<std::string> read_token(std::string_view body);

}  // namespace hangu::etcd
