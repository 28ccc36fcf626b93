// The build takes style sheets along where a module imports them.
declare module '*.css';
