// What the store runs for us, in Lua: the generic cell rate algorithm (see policy/gcra.h) by the
// clock of the server. The state of a key is when its bucket will be full again, in microseconds
// since kEpoch, which keeps three decimals exact.
#pragma once

#include <string_view>

namespace hangu::server {

/// KEYS: counts. ARGV: for each what the bucket holds and what is wanted (µs), whether it is taken,
/// whether the request depends on it. Takes from all or from none. Returns whether the request may
/// pass, a bit for each key that lacked it, and for each in how many nanoseconds it will be full.
inline constexpr std::string_view kTakeScript = R"(
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1767225600) * 1000000 + tonumber(time[2])
local allowed, refused, bit = 1, 0, 1
local full, lacks = {}, {}
for i = 1, #KEYS do
  local at = tonumber(redis.call('GET', KEYS[i]) or now)
  full[i] = math.max(at, now)
  lacks[i] = full[i] + tonumber(ARGV[4 * i - 2]) - now > tonumber(ARGV[4 * i - 3]) + 0.001
  if lacks[i] then
    refused = refused + bit
    if ARGV[4 * i] == '1' then allowed = 0 end
  end
  bit = bit * 2
end
local reply = {allowed, refused}
for i = 1, #KEYS do
  if allowed == 1 and not lacks[i] and ARGV[4 * i - 1] == '1' then
    full[i] = full[i] + tonumber(ARGV[4 * i - 2])
    redis.call('SET', KEYS[i], string.format('%.3f', full[i]), 'PX',
               string.format('%.0f', math.ceil((full[i] - now) / 1000) + 1000))
  end
  reply[i + 2] = math.floor((full[i] - now) * 1000)
end
return reply
)";

/// KEYS: counts. ARGV: for each what was taken of it (µs), whether it was there or not. Returns for
/// each in how many nanoseconds it will be full.
inline constexpr std::string_view kChargeScript = R"(
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1767225600) * 1000000 + tonumber(time[2])
local reply = {}
for i = 1, #KEYS do
  local at = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + tonumber(ARGV[i])
  redis.call('SET', KEYS[i], string.format('%.3f', at), 'PX',
             string.format('%.0f', math.ceil((at - now) / 1000) + 1000))
  reply[i] = math.floor((at - now) * 1000)
end
return reply
)";

}  // namespace hangu::server
