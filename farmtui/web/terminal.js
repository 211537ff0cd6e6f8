// The inner page: textual-serve's terminal, with its socket shown to the page around it.
"use strict";
(() => {
  const terminal = document.getElementById("terminal");
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const asked = Number(new URLSearchParams(location.search).get("fontsize"));
  terminal.dataset.sessionWebsocketUrl = `${scheme}${location.host}/ws`;
  terminal.dataset.fontSize = String(Math.min(Math.max(Math.round(asked) || 16, 6), 96));
  const page = window.parent.farmtui;
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      if (page) page.socket(this);
    }
  };
})();
