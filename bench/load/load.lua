-- wrk's script: the method and the size of the body from the command line, or a file with header
-- fields of which each request has one in turn, or how many tenants there are, of which each request
-- comes from one at random; the result as one line of numbers, since wrk itself
-- does not print the 99.9th percentile.
local function take_turns(path)
  local requests, turn = {}, 0
  for line in io.lines(path) do
    local name, value = line:match("^([^:]+): (.*)$")
    requests[#requests + 1] = wrk.format(nil, nil, {["Host"] = wrk.headers["Host"], [name] = value})
  end
  request = function()
    turn = turn % #requests + 1
    return requests[turn]
  end
end

local function come_from(tenants)
  local mark = "0000000"
  local text = wrk.format(nil, nil, {["Host"] = wrk.headers["Host"], ["X-Tenant"] = mark})
  local from, to = text:find(mark, 1, true)
  local before, behind = text:sub(1, from - 1), text:sub(to + 1)
  math.randomseed(os.time())
  request = function()
    return before .. string.format("%07d", math.random(tenants)) .. behind
  end
end

function init(args)
  if args[1] == "POST" then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(args[2]))
  end
  if args[1] == "CLOSE" then
    wrk.headers["Connection"] = "close"
  end
  if args[1] == "FIELDS" then
    take_turns(args[2])
  end
  if args[1] == "TENANTS" then
    come_from(tonumber(args[2]))
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.bytes, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
