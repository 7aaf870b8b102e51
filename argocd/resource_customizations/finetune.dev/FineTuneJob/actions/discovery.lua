-- Suspend and resume, each of them only where it changes something.

local phase = obj.status ~= nil and obj.status.phase
local final = phase == "Succeeded" or phase == "Failed"
local suspended = obj.spec.suspend == true

return {
  ["suspend"] = { ["iconClass"] = "fa fa-fw fa-pause", ["disabled"] = final or suspended },
  ["resume"] = { ["iconClass"] = "fa fa-fw fa-play", ["disabled"] = final or not suspended },
}
