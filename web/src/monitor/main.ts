// The entry of /monitor: what the server does, live, for whoever runs it.

import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n } from './i18n'
import MonitorApp from './MonitorApp.vue'
import '../styles/reset.css'
import './monitor.css'

createApp(MonitorApp).use(createPinia()).use(i18n).mount('#app')
