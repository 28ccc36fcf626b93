export {};
//# sourceMappingURL=endpoints-document.js.map
