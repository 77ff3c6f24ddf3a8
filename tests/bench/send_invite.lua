-- wrk script: each request invites an address that was never used before, in random order and each run elsewhere, as
-- real ones come (what an index on them costs depends on it). The template is in INVITED_BENCH_BODY, with the
-- placeholder @N@ for what makes the address fresh; INVITED_BENCH_RUN names the run.
local template = os.getenv("INVITED_BENCH_BODY")
local before, after = template:match("^(.-)@N@(.*)$")
local path = os.getenv("INVITED_BENCH_PATH")
local run = os.getenv("INVITED_BENCH_RUN")
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  counter = 0
  start = number
  for i = 1, #run do
    start = (start + run:byte(i)) * 69069 % 4294967296
  end
  wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
  wrk.headers["SOAPAction"] = "\"http://www.example.com/SendInvite\""
end

function request()
  counter = counter + 1
  return wrk.format("POST", path, nil, before .. string.format("%08x", (start + counter * 2654435761) % 4294967296) .. "-" ..
    run .. "-" .. number .. after)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT {\"requests\":%d,\"duration_us\":%d,\"p50_us\":%d,\"p99_us\":%d,\"http_errors\":%d,\"socket_errors\":%d}\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
