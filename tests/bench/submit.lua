-- The same submission again and again, each with a push-id of its own; for wrk.
--     wrk ... -s submit.lua URL -- REQUEST_FILE RUN
-- REQUEST_FILE is a whole request with sixteen P in the place of the push-id's number; RUN, two hexadecimal digits,
-- keeps the numbers of several runs against one gateway apart.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local text = file:read("*a")
    file:close()
    local from, to = text:find(string.rep("P", 16), 1, true)
    before = text:sub(1, from - 1) .. args[2] .. string.format("%02x", number)
    after = text:sub(to + 1)
    count = 0
end

function request()
    count = count + 1
    return before .. string.format("%012x", count) .. after
end
