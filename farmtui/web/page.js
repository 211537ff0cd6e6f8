// The outer page: it is never loaded anew, keeps a terminal in its frame, and says so when that shows nothing of now.
"use strict";
(() => {
  const WALL = document.body.dataset.kind === "wall";
  const STILL_MS = WALL ? 4000 : 15000; // a wall's heart beats each second; a console is asked each five
  const HUNG_MS = 30000; // after so long a session that stands still is given up
  const OPEN_MS = 15000;
  const TRY_MS = 2000;
  const WALL_LINES = 45; // of a wall, whatever the display: letters grow with it

  const frame = document.getElementById("frame");
  const shade = document.getElementById("shade");
  const word = document.getElementById("word");
  const why = document.getElementById("why");
  const again = document.getElementById("again");

  let socket = null;
  let state = "connecting"; // connecting, live, still, lost, ended
  let since = Date.now();
  let heard = Date.now();
  let tried = 0;
  let opening = 0; // when the frame was last sent for a terminal; 0 when that has come to an end
  let reason = "";

  const ago = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000));
    return s < 120 ? `${s} s` : `${Math.floor(s / 60)} min`;
  };
  const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);

  function go(next, words) {
    if (state !== next) since = Date.now();
    state = next;
    reason = words || "";
    paint();
  }

  function paint() {
    document.body.dataset.state = state;
    shade.className = state;
    again.hidden = state !== "ended";
    if (state === "live") return;
    const from = state === "still" ? heard : since;
    word.textContent = { connecting: "connecting", still: "FROZEN", lost: "DISCONNECTED", ended: "ended" }[state];
    why.textContent =
      state === "connecting" || state === "ended" ? reason : `${reason} since ${clock(from)}, ${ago(Date.now() - from)}`;
  }

  function open() {
    tried = opening = Date.now();
    if (state !== "lost") go("connecting");
    const size = WALL ? Math.max(6, Math.floor(window.innerHeight / WALL_LINES / 1.18)) : 16;
    const wanted = Number(new URLSearchParams(location.search).get("fontsize")) || size;
    frame.src = `/terminal?fontsize=${wanted}&at=${tried}`;
  }

  window.farmtui = {
    // The frame has opened a socket: from now on this one, and no older one, is what counts.
    socket(opened) {
      socket = opened;
      let first = true;
      opened.addEventListener("message", (event) => {
        if (socket !== opened) return;
        const pong = typeof event.data === "string";
        if (WALL && pong) return;
        heard = Date.now();
        if (first && !pong) {
          first = false;
          frame.contentWindow.focus();
          const typing = frame.contentDocument.querySelector("textarea");
          if (typing && !WALL) typing.focus();
        }
        if (!first && state !== "live") go("live");
      });
      opened.addEventListener("close", (event) => {
        if (socket !== opened) return;
        socket = null;
        if (event.code === 1000 && !WALL && !first) go("ended", "the session has ended");
        else lose("no connection");
      });
    },
  };

  function lose(words) {
    const old = socket;
    socket = null;
    opening = 0;
    if (old) old.close();
    go("lost", words);
  }

  async function look() {
    tried = Date.now();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), 3000);
    try {
      const answer = await fetch("/alive", { cache: "no-store", signal: limit.signal });
      if (state !== "lost") return;
      if (answer.ok) open();
      else if (answer.status === 503) go("lost", "the server has no room for another session");
      else go("lost", "the server wants its token again; not connected");
    } catch (failed) {
      if (state === "lost") go("lost", "the server does not answer");
    } finally {
      clearTimeout(timer);
    }
  }

  let beats = 0;
  setInterval(() => {
    const now = Date.now();
    beats += 1;
    if (socket && socket.readyState === 1 && beats % 5 === 0) socket.send(JSON.stringify(["ping", String(now)]));
    if ((state === "live" || state === "still") && socket) {
      if (now - heard > HUNG_MS) lose("the session stood still");
      else if (now - heard > STILL_MS) go("still", WALL ? "the wall's heart has stopped" : "the server does not answer;");
    } else if (state === "connecting" && now - tried > OPEN_MS) {
      lose("the server does not answer");
    } else if (state === "lost" && now - tried > TRY_MS && now - opening > OPEN_MS) {
      look();
    }
    paint();
  }, 1000);

  again.addEventListener("click", open);
  window.addEventListener("focus", () => frame.contentWindow && frame.contentWindow.focus());
  open();
})();
